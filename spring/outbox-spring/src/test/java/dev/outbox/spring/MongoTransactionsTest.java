package dev.outbox.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import dev.outbox.Codecs;
import dev.outbox.MisuseException;
import dev.outbox.Topic;
import dev.outbox.servers.MongoServer;
import dev.outbox.store.mongo.MongoOutbox;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.bson.Document;
import org.bson.types.Binary;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.data.mongodb.MongoTransactionManager;
import org.springframework.data.mongodb.core.MongoTemplate;
import org.springframework.data.mongodb.core.SimpleMongoClientDatabaseFactory;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Messages are in the session of Spring's transaction, together with what a {@link MongoTemplate} writes. */
class MongoTransactionsTest {
    private final MongoServer server = MongoServer.shared();
    private final String url = server.newDatabase();
    private final MongoClient client = MongoClients.create(url);
    private final SimpleMongoClientDatabaseFactory factory = new SimpleMongoClientDatabaseFactory(url);
    private final MongoTemplate template = new MongoTemplate(factory);
    private final MongoTransactionManager manager = new MongoTransactionManager(factory);
    private final OutboxTransactions transactions = new OutboxTransactions();
    private final OutboxPublisher<String> orders = SpringMongoOutbox.of(transactions, factory)
            .publisher(Topic.builder("orders", Codecs.text()).build());

    @BeforeEach
    void open() {
        transactions.watch(manager);
        MongoOutbox.createSchema(factory.getMongoDatabase());
        template.createCollection("orders");
    }

    @AfterEach
    void close() throws Exception {
        client.close();
        factory.destroy();
        server.dropDatabase(url);
    }

    @Test
    void aMessageIsThereIfAndOnlyIfItsTransactionCommits() {
        required().executeWithoutResult(status -> place("committed"));
        assertThrows(
                IllegalStateException.class,
                () -> required().executeWithoutResult(status -> {
                    place("rolled back");
                    throw new IllegalStateException("payment declined");
                }));
        required()
                .executeWithoutResult(status ->
                        assertEquals(2, orders.publishAll(List.of("one", "two")).size()));
        assertEquals(List.of("committed", "one", "two"), messages());
        assertEquals(List.of("committed"), orders());
    }

    @Test
    void aNewTransactionInsideAnotherIsForItself() {
        TransactionTemplate requiresNew = required();
        requiresNew.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        required().executeWithoutResult(status -> {
            place("outer, rolled back");
            requiresNew.executeWithoutResult(inner -> place("inner"));
            status.setRollbackOnly();
        });
        assertEquals(List.of("inner"), messages());
        assertEquals(List.of("inner"), orders());
    }

    @Test
    void outsideOfATransactionThatCommitsItIsRefused() {
        refused("there is no transaction on this thread");
        TransactionTemplate readOnly = required();
        readOnly.setReadOnly(true);
        readOnly.executeWithoutResult(status -> refused("is read-only"));
        List<String> callbacks = new ArrayList<>();
        required()
                .executeWithoutResult(status ->
                        TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                            @Override
                            public void afterCommit() {
                                refused("has ended");
                                callbacks.add("afterCommit");
                            }

                            @Override
                            public void afterCompletion(int status) {
                                refused("has ended");
                                callbacks.add("afterCompletion");
                            }
                        }));
        assertEquals(List.of("afterCommit", "afterCompletion"), callbacks);
        assertEquals(List.of(), messages());
    }

    private void place(String number) {
        template.insert(new Document("number", number), "orders");
        orders.publish(number);
    }

    private void refused(String reason) {
        MisuseException thrown = assertThrows(MisuseException.class, () -> orders.publish("lost"));
        assertTrue(thrown.getMessage().contains(reason), thrown.getMessage());
    }

    private TransactionTemplate required() {
        return new TransactionTemplate(manager);
    }

    private List<String> messages() {
        return factory.getMongoDatabase()
                .getCollection("outbox_messages")
                .find()
                .map(message -> new String(message.get("payload", Binary.class).getData(), StandardCharsets.UTF_8))
                .into(new ArrayList<>());
    }

    private List<String> orders() {
        return template.getCollection("orders")
                .find()
                .map(order -> order.getString("number"))
                .into(new ArrayList<>());
    }
}
