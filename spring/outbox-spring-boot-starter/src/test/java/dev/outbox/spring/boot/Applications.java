package dev.outbox.spring.boot;

import dev.outbox.Topic;
import dev.outbox.spring.OutboxPublisher;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.annotation.Transactional;

/** Starts applications, each on a database of its own. */
final class Applications {
    /** Auto-configuration of JPA, in all generations of Spring Boot. By default no application has it. */
    static final String JPA = "org.springframework.boot.autoconfigure.data.jpa.JpaRepositoriesAutoConfiguration,"
            + "org.springframework.boot.data.jpa.autoconfigure.DataJpaRepositoriesAutoConfiguration,"
            + "org.springframework.boot.autoconfigure.orm.jpa.HibernateJpaAutoConfiguration,"
            + "org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration";

    /** The same for MongoDB. */
    static final String MONGO = "org.springframework.boot.autoconfigure.data.mongo.MongoDataAutoConfiguration,"
            + "org.springframework.boot.autoconfigure.data.mongo.MongoRepositoriesAutoConfiguration,"
            + "org.springframework.boot.autoconfigure.mongo.MongoAutoConfiguration,"
            + "org.springframework.boot.data.mongodb.autoconfigure.DataMongoAutoConfiguration,"
            + "org.springframework.boot.data.mongodb.autoconfigure.DataMongoRepositoriesAutoConfiguration,"
            + "org.springframework.boot.mongodb.autoconfigure.MongoAutoConfiguration";

    /** The same for SQL databases. */
    static final String JDBC = "org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration,"
            + "org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration";

    private static final String EXCLUDE = "spring.autoconfigure.exclude=";

    private Applications() {}

    /** Takes what is excluded by default back, and excludes these. */
    static String without(String... autoConfigurations) {
        return EXCLUDE + String.join(",", autoConfigurations);
    }

    static ConfigurableApplicationContext run(Class<?> application, String... properties) {
        return start(application, WebApplicationType.NONE, properties);
    }

    static ConfigurableApplicationContext serve(Class<?> application, String... properties) {
        return start(application, WebApplicationType.SERVLET, properties);
    }

    private static ConfigurableApplicationContext start(
            Class<?> application, WebApplicationType type, String... properties) {
        List<String> all = new ArrayList<>(List.of(
                "server.port=0", "spring.main.banner-mode=off", "spring.jmx.enabled=false", "logging.level.root=warn"));
        all.addAll(Arrays.asList(properties));
        return new SpringApplicationBuilder(application)
                .web(type)
                .run(all.stream().map(property -> "--" + property).toArray(String[]::new));
    }

    /** A topic and its broker. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Orders {
        @Bean
        Broker broker() {
            return new Broker();
        }

        @Bean
        Topic<OrderPlaced> orders(OutboxJson json, Broker broker) {
            return Topic.builder("orders", json.codec(OrderPlaced.class))
                    .publisher(broker::send)
                    .build();
        }
    }

    /** The same with a use case that publishes. */
    @Configuration(proxyBeanMethods = false)
    static class Shop extends Orders {
        @Bean
        PlaceOrder placeOrder(OutboxPublisher<OrderPlaced> orders, JdbcTemplate jdbc) {
            jdbc.execute("create table if not exists orders (number varchar(20))");
            return new PlaceOrder(orders, jdbc);
        }
    }

    static class PlaceOrder {
        private final OutboxPublisher<OrderPlaced> orders;
        private final JdbcTemplate jdbc;

        PlaceOrder(OutboxPublisher<OrderPlaced> orders, JdbcTemplate jdbc) {
            this.orders = orders;
            this.jdbc = jdbc;
        }

        @Transactional
        public void place(String number, boolean declined) {
            jdbc.update("insert into orders values (?)", number);
            orders.publish(new OrderPlaced(number));
            if (declined) {
                throw new IllegalStateException("payment declined");
            }
        }
    }
}
