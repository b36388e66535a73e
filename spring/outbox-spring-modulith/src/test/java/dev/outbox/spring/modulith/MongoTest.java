package dev.outbox.spring.modulith;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.shop.order.OrderCompleted;
import dev.outbox.MisuseException;
import dev.outbox.Topic;
import dev.outbox.servers.MongoServer;
import dev.outbox.spring.OutboxTransactions;
import dev.outbox.spring.SpringMongoOutbox;
import dev.outbox.spring.SpringOutbox;
import dev.outbox.store.mongo.MongoOutbox;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.mongodb.MongoDatabaseFactory;
import org.springframework.data.mongodb.MongoTransactionManager;
import org.springframework.data.mongodb.core.SimpleMongoClientDatabaseFactory;
import org.springframework.modulith.events.EventExternalizationConfiguration;
import org.springframework.transaction.support.TransactionTemplate;

/** Events are written in the transactions of MongoDB. */
@Tag("versions")
@Tag("mongo")
class MongoTest {
    private final MongoServer server = MongoServer.shared();
    private final String url = server.newDatabase();

    @Test
    void anEventIsThereIfAndOnlyIfItsTransactionCommits() throws Exception {
        try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
            context.registerBean(
                    MongoDatabaseFactory.class,
                    () -> new SimpleMongoClientDatabaseFactory(url),
                    definition -> definition.setDestroyMethodName("destroy"));
            context.register(Application.class);
            context.refresh();
            MongoDatabaseFactory factory = context.getBean(MongoDatabaseFactory.class);
            MongoOutbox.createSchema(factory.getMongoDatabase());
            TransactionTemplate transaction = new TransactionTemplate(context.getBean(MongoTransactionManager.class));
            transaction.executeWithoutResult(status -> context.publishEvent(new OrderCompleted("SO-1", "C-1")));
            transaction.executeWithoutResult(status -> {
                context.publishEvent(new OrderCompleted("SO-2", "C-1"));
                status.setRollbackOnly();
            });
            assertThrows(MisuseException.class, () -> context.publishEvent(new OrderCompleted("SO-3", "C-1")));
            List<String> keys = new ArrayList<>();
            factory.getMongoDatabase()
                    .getCollection("outbox_messages")
                    .find()
                    .forEach(message -> keys.add(message.toJson()));
            assertEquals(1, keys.size(), keys::toString);
            assertTrue(keys.get(0).contains("\"C-1\""), keys::toString);
        } finally {
            server.dropDatabase(url);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Application {
        @Bean
        static OutboxTransactions outboxTransactions() {
            return new OutboxTransactions();
        }

        @Bean
        MongoTransactionManager transactionManager(MongoDatabaseFactory factory) {
            return new MongoTransactionManager(factory);
        }

        @Bean
        SpringOutbox outbox(OutboxTransactions transactions, MongoDatabaseFactory factory) {
            return SpringMongoOutbox.of(transactions, factory);
        }

        @Bean
        Topic<OrderCompleted> orders() {
            return Topic.builder("orders", OrderCompleted.class).build();
        }

        @Bean
        EventExternalizationConfiguration externalization() {
            return EventExternalizationConfiguration.defaults("com.example.shop")
                    .build();
        }

        @Bean
        OutboxExternalizer externalizer(
                EventExternalizationConfiguration configuration,
                ObjectProvider<SpringOutbox> outbox,
                ObjectProvider<Topic<?>> topics,
                ListableBeanFactory beans,
                ApplicationEventPublisher events) {
            return new OutboxExternalizer(configuration, outbox, topics, beans, events);
        }
    }
}
