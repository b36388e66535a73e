package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codecs;
import dev.outbox.Delivery;
import dev.outbox.MessageBatch;
import dev.outbox.Outbox;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Topic;
import dev.outbox.TransactionalPublisher;
import dev.outbox.processes.Await;
import dev.outbox.relay.Relay;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Publishers that use the pool of the relay's store, as they do in most services, and find it empty. */
@Timeout(300)
class SharedPoolTest {
    private static final String URL = "jdbc:h2:mem:shared-pool;DB_CLOSE_DELAY=-1";
    private static final int MESSAGES = 40;
    private static final int WORKERS = 4;

    private final Queue<String> triedAgain = new ConcurrentLinkedQueue<>();
    private final AtomicInteger refused = new AtomicInteger();
    private final Set<String> published = ConcurrentHashMap.newKeySet();

    @ParameterizedTest
    @EnumSource(PoolLibrary.class)
    void anEmptyPoolIsNoFaultOfAMessage(PoolLibrary library) throws Exception {
        // WORKERS + 1 connections, for which it waits a quarter of a second, the least that HikariCP takes
        try (PoolLibrary.Pool opened = library.open(URL, WORKERS + 1, Duration.ofMillis(250))) {
            DataSource pool = opened.source();
            JdbcDataSource patient = new JdbcDataSource();
            patient.setURL(URL);
            JdbcOutbox.createSchema(patient);
            Topic<String> topic = Topic.builder("orders", Codecs.text())
                    .key(message -> message)
                    .partitions(40)
                    .publisher(delivery -> publish(pool, delivery))
                    .build();
            write(patient, topic);
            try (Store store = store(pool);
                    Relay relay =
                            Relay.builder(store).topic(topic).workers(WORKERS).build()) {
                relay.start();
                while (published.size() < MESSAGES) {
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
                }
                assertTrue(refused.get() > 0, "the pool was never empty");
                assertEquals(List.of(), List.copyOf(triedAgain), "messages that an attempt was counted of");
            }
        }
    }

    @Test
    void theErrorOfAnEmptyPoolSaysHowManyConnectionsTheStoreUses() throws Exception {
        try (PoolLibrary.Pool opened = PoolLibrary.HIKARI.open(URL, 2, Duration.ofMillis(250))) {
            DataSource pool = opened.source();
            JdbcDataSource patient = new JdbcDataSource();
            patient.setURL(URL);
            JdbcOutbox.createSchema(patient);
            Topic<String> topic = Topic.builder("empty-pool", Codecs.text())
                    .key(message -> message)
                    .partitions(40)
                    .publisher(delivery -> Receipt.taken())
                    .build();
            write(patient, topic);
            try (Store store = store(pool)) {
                MessageBatch first = store.checkout(Set.of("empty-pool"), 1);
                MessageBatch second = store.checkout(Set.of("empty-pool"), 1);
                assertUses(store, "This store uses 2 connections, 2 of them for open batches");
                first.close();
                try (Connection other = pool.getConnection()) {
                    assertTrue(other.isValid(60));
                    assertUses(store, "This store uses 1 connections, 1 of them for open batches");
                }
                second.close();
            }
        }
    }

    private static void assertUses(Store store, String expected) {
        StoreException error = assertThrows(StoreException.class, () -> store.checkout(Set.of("empty-pool"), 1));
        assertTrue(error.getMessage().contains(expected + ", and the pool makes at most 2."), error.getMessage());
    }

    /** Sixteen of these at a time need more connections than there are, for longer than they wait for one. */
    private Receipt publish(DataSource pool, Delivery<String> delivery) throws Exception {
        if (delivery.attempt() > 1) {
            triedAgain.add(delivery.message() + " at attempt " + delivery.attempt());
        }
        try (Connection connection = connection(pool)) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(150));
            assertTrue(connection.isValid(60));
        }
        published.add(delivery.message());
        return Receipt.taken();
    }

    /** The first connections of a pool may take longer than it waits. */
    private static Store store(DataSource pool) throws Exception {
        AtomicReference<@Nullable Store> store = new AtomicReference<>();
        Await.until("a store over the pool", () -> {
            try {
                store.set(JdbcOutbox.store(pool, StoreOptions.defaults()));
            } catch (StoreException e) {
                return false;
            }
            return true;
        });
        return Objects.requireNonNull(store.get());
    }

    private Connection connection(DataSource pool) throws SQLException {
        try {
            return pool.getConnection();
        } catch (SQLException e) {
            refused.incrementAndGet();
            throw e;
        }
    }

    private static void write(DataSource pool, Topic<String> topic) throws Exception {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            TransactionalPublisher<String> bound = Outbox.bind(topic, JdbcOutbox.persist(connection));
            for (int i = 0; i < MESSAGES; i++) {
                bound.publish(Integer.toString(i));
            }
            connection.commit();
        }
    }
}
