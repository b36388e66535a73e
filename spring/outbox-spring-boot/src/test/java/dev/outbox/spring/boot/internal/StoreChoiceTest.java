package dev.outbox.spring.boot.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.spring.SpringOutbox;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.MapPropertySource;
import org.springframework.data.mongodb.MongoDatabaseFactory;
import org.springframework.data.mongodb.core.SimpleMongoClientDatabaseFactory;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** Which database has the outbox, if an application has a SQL database and MongoDB. Nothing connects to them. */
class StoreChoiceTest {
    @Test
    void theSettingSaysWhich() {
        assertTrue(outbox(Map.of("outbox.store.type", "jdbc")).toString().contains("DataSource"));
        assertTrue(outbox(Map.of("outbox.store.type", "mongo")).toString().contains("MongoDatabaseFactory"));
    }

    @Test
    void withoutTheSettingAnApplicationThatPublishesDoesNotStart() {
        BeanCreationException thrown = assertThrows(BeanCreationException.class, () -> outbox(Map.of()));
        assertEquals(ConfigurationException.class, thrown.getMostSpecificCause().getClass());
        assertTrue(String.valueOf(thrown.getMostSpecificCause().getMessage()).contains("outbox.store.type"));
    }

    private static SpringOutbox outbox(Map<String, Object> properties) {
        try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
            context.getEnvironment()
                    .getPropertySources()
                    .addFirst(new MapPropertySource("without a relay", Map.of("outbox.relay.enabled", "false")));
            context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("test", properties));
            context.register(Databases.class, OutboxAutoConfiguration.class);
            context.refresh();
            return context.getBean(SpringOutbox.class);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Databases {
        @Bean
        DataSource dataSource() {
            return new DriverManagerDataSource("jdbc:none");
        }

        @Bean
        MongoDatabaseFactory mongoDatabaseFactory() {
            return new SimpleMongoClientDatabaseFactory("mongodb://localhost:1/shop");
        }
    }
}
