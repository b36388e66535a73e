package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.MisuseException;
import dev.outbox.processes.Await;
import dev.outbox.servers.MongoServer;
import dev.outbox.spring.OutboxPublisher;
import java.util.ArrayList;
import java.util.List;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.mongodb.MongoDatabaseFactory;
import org.springframework.data.mongodb.MongoTransactionManager;
import org.springframework.data.mongodb.core.MongoTemplate;
import org.springframework.transaction.annotation.Transactional;

/** An application with its outbox in MongoDB, alone and together with a SQL database. */
@Tag("versions")
@ExtendWith(OutputCaptureExtension.class)
class MongoApplicationTest {
    private static final String ALONE = Applications.without(Applications.JPA, Applications.JDBC);
    private static final String BOTH = Applications.without(Applications.JPA);
    private static final String CREATE_SCHEMA = "outbox.store.create-schema=true";

    private final MongoServer server = MongoServer.shared();
    private final String url = server.newDatabase();

    @AfterEach
    void drop() {
        server.dropDatabase(url);
    }

    @Test
    void whatIsCommittedIsPublished() throws Exception {
        try (ConfigurableApplicationContext application = run(WithManager.class, ALONE, CREATE_SCHEMA)) {
            committedIsPublished(application);
        }
    }

    @Test
    void theOutboxIsWhereItIsToldToBe() throws Exception {
        try (ConfigurableApplicationContext application =
                run(WithManager.class, BOTH, CREATE_SCHEMA, "outbox.store.type=mongo")) {
            committedIsPublished(application);
        }
    }

    @Test
    void twoDatabasesAreExplained(CapturedOutput output) {
        assertThrows(Exception.class, () -> run(WithManager.class, BOTH).close());
        assertTrue(output.getAll().contains("APPLICATION FAILED TO START"), output.getAll());
        assertTrue(output.getAll().contains("Set outbox.store.type to jdbc or to mongo"), output.getAll());
    }

    @Test
    void missingCollectionsAreExplained(CapturedOutput output) {
        assertThrows(
                Exception.class,
                () -> run(WithManager.class, ALONE, "outbox.store.create-schema=false")
                        .close());
        assertTrue(output.getAll().contains("APPLICATION FAILED TO START"), output.getAll());
        assertTrue(output.getAll().contains("createSchema"), output.getAll());
    }

    @Test
    void withoutATransactionManagerPublishingIsRefused() {
        try (ConfigurableApplicationContext application = run(Shop.class, ALONE, CREATE_SCHEMA)) {
            MongoShop shop = application.getBean(MongoShop.class);
            MisuseException refused = assertThrows(MisuseException.class, () -> shop.place("SO-1", false));
            assertTrue(String.valueOf(refused.getMessage()).contains("there is no transaction on this thread"));
        }
    }

    private static void committedIsPublished(ConfigurableApplicationContext application) throws Exception {
        MongoShop shop = application.getBean(MongoShop.class);
        assertThrows(IllegalStateException.class, () -> shop.place("declined", true));
        shop.place("SO-1", false);
        Broker broker = application.getBean(Broker.class);
        Await.until("the order is published", () -> !broker.sent.isEmpty());
        assertEquals(List.of("{\"orderNumber\":\"SO-1\"}"), broker.sent);
        assertEquals(
                1,
                application.getBean(MongoTemplate.class).getCollection("orders").countDocuments());
    }

    /** The property has another name in each generation of Spring Boot. */
    private ConfigurableApplicationContext run(Class<?> application, String... properties) {
        List<String> all = new ArrayList<>(List.of(properties));
        all.addAll(List.of("spring.data.mongodb.uri=" + url, "spring.mongodb.uri=" + url));
        return Applications.run(application, all.toArray(new String[0]));
    }

    static class MongoShop {
        private final OutboxPublisher<OrderPlaced> orders;
        private final MongoTemplate template;

        MongoShop(OutboxPublisher<OrderPlaced> orders, MongoTemplate template) {
            this.orders = orders;
            this.template = template;
        }

        @Transactional
        public void place(String number, boolean declined) {
            template.insert(new Document("number", number), "orders");
            orders.publish(new OrderPlaced(number));
            if (declined) {
                throw new IllegalStateException("payment declined");
            }
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Shop extends Applications.Orders {
        @Bean
        MongoShop shop(OutboxPublisher<OrderPlaced> orders, MongoTemplate template) {
            template.createCollection("orders");
            return new MongoShop(orders, template);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class WithManager extends Shop {
        @Bean
        MongoTransactionManager transactionManager(MongoDatabaseFactory factory) {
            return new MongoTransactionManager(factory);
        }
    }
}
