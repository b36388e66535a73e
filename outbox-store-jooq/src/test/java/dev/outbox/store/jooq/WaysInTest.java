package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.MessageRejectedException;
import dev.outbox.MisuseException;
import dev.outbox.Outbox;
import dev.outbox.PersistFunc;
import dev.outbox.Publisher;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jooq.impl.DataSourceConnectionProvider;
import org.jooq.impl.DefaultConfiguration;
import org.jooq.impl.ThreadLocalTransactionProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The ways into a transaction, and that there is none past it. They are the same on every database. */
@Timeout(300)
class WaysInTest {
    /** The connection that each thread is in a transaction on. */
    private static final ThreadLocal<@Nullable Connection> CURRENT = new ThreadLocal<>();

    private final H2Harness harness = new H2Harness();
    private String address = "";

    @BeforeEach
    void create() throws Exception {
        address = harness.createOutbox();
    }

    @AfterEach
    void drop() throws Exception {
        CURRENT.remove();
        harness.dropOutbox(address);
    }

    private Observed pool(boolean autoCommit) {
        return new Observed(address, autoCommit, Connection.TRANSACTION_READ_COMMITTED);
    }

    private DefaultConfiguration configuration(boolean autoCommit) {
        DefaultConfiguration configuration = new DefaultConfiguration();
        configuration.setDataSource(pool(autoCommit));
        configuration.setSQLDialect(SQLDialect.H2);
        return configuration;
    }

    private DSLContext waking(Runnable wakeUp) {
        DefaultConfiguration configuration = configuration(true);
        configuration.setTransactionListener(JooqOutbox.wakeUpAfterCommit(wakeUp));
        return configuration.dsl();
    }

    private void assertPublished(String... texts) {
        try (Store store = Stores.open(address)) {
            assertEquals(List.of(texts), StoreTest.publishAll(store, 100));
        }
    }

    private static void assertRefused(PersistFunc persist, String... texts) {
        MisuseException refused =
                assertThrows(MisuseException.class, () -> persist.persist(StoreTest.message(0, "refused")));
        for (String text : texts) {
            assertTrue(refused.getMessage().contains(text), refused.getMessage());
        }
    }

    /** Bound once, for all threads; each has its own transaction. */
    @Test
    void theConnectionOfTheThreadIsAskedForWithEachMessage() throws Exception {
        PersistFunc persist = JdbcOutbox.persist(CURRENT::get);
        Topic<String> topic = Topic.builder(StoreTest.TOPIC, String.class).build();
        Publisher<String> publisher = Outbox.bind(topic, persist);
        assertRefused(persist, "returned null", "begin one first");
        try (Connection committed = DriverManager.getConnection(address);
                Connection other = DriverManager.getConnection(address)) {
            committed.setAutoCommit(false);
            other.setAutoCommit(false);
            CURRENT.set(committed);
            publisher.publish("a");
            CompletableFuture.runAsync(() -> {
                        CURRENT.set(other);
                        publisher.publish("rolled back");
                    })
                    .join();
            publisher.publish("b");
            committed.commit();
            other.rollback();
            assertFalse(committed.isClosed(), "the application's connection");
            committed.setAutoCommit(true);
            assertRefused(persist, "auto-commit", "supplier");
        }
        assertPublished("\"a\"", "\"b\"");
    }

    @Test
    void aSupplierThatThrowsIsExplained() {
        IllegalStateException none = new IllegalStateException("no scope");
        Supplier<@Nullable Connection> failing = () -> {
            throw none;
        };
        PersistFunc persist = JdbcOutbox.persist(failing);
        assertRefused(persist, "no scope", "begin one first");
        assertSame(
                none,
                assertThrows(MisuseException.class, () -> persist.persist(StoreTest.message(0, "a")))
                        .getCause());
        MessageRejectedException own = new MessageRejectedException("a supplier may say so itself");
        Supplier<@Nullable Connection> refusing = () -> {
            throw own;
        };
        assertSame(
                own,
                assertThrows(
                        MessageRejectedException.class,
                        () -> JdbcOutbox.persist(refusing).persist(StoreTest.message(0, "a"))));
    }

    /** What is no matter of jOOQ is the same for both. */
    @Test
    void jooqHasTheMethodsOfJdbc() {
        JooqOutbox.Named other = JooqOutbox.named("other_");
        other.createSchema(pool(true));
        configuration(true).dsl().transaction(tx -> other.persist(tx).persist(StoreTest.message(0, "a")));
        configuration(true).dsl().transaction(tx -> other.persist(tx.dsl()).persist(StoreTest.message(0, "b")));
        try (Store store = other.store(pool(true), StoreOptions.defaults())) {
            assertEquals(List.of("a", "b"), StoreTest.publishAll(store, 100));
        }
        try (Store store = JooqOutbox.store(pool(true), StoreOptions.defaults())) {
            assertEquals(List.of(), StoreTest.publishAll(store, 100));
        }
        Map<SQLDialect, SqlDatabase> databases = Map.of(
                SQLDialect.POSTGRES, SqlDatabase.POSTGRESQL,
                SQLDialect.MYSQL, SqlDatabase.MYSQL,
                SQLDialect.MARIADB, SqlDatabase.MARIADB,
                SQLDialect.H2, SqlDatabase.H2);
        databases.forEach((dialect, database) -> {
            assertEquals(JdbcOutbox.ddl(database), JooqOutbox.ddl(dialect));
            assertEquals(JdbcOutbox.upgradeDdl(database, 1), JooqOutbox.upgradeDdl(dialect, 1));
            assertEquals(JdbcOutbox.named("other_").ddl(database), other.ddl(dialect));
            assertEquals(JdbcOutbox.named("other_").upgradeDdl(database, 1), other.upgradeDdl(dialect, 1));
        });
        assertEquals(JdbcOutbox.wakeUpDdl(SqlDatabase.POSTGRESQL), JooqOutbox.wakeUpDdl(SQLDialect.POSTGRES));
        assertThrows(ConfigurationException.class, () -> other.wakeUpDdl(SQLDialect.H2));
        assertThrows(ConfigurationException.class, () -> JooqOutbox.ddl(SQLDialect.SQLITE));
        assertEquals(JooqOutbox.named("other_"), other);
        assertEquals("other_", other.toString());
    }

    @Test
    void savepointsDecideWithinATransaction() {
        DSLContext ctx = configuration(true).dsl();
        String id = ctx.transactionResult(outer -> {
            JooqOutbox.persist(outer).persist(StoreTest.message(0, "a"));
            assertThrows(
                    DataAccessException.class,
                    () -> outer.dsl().transaction(inner -> {
                        JooqOutbox.persist(inner).persist(StoreTest.message(0, "rolled back"));
                        throw new DataAccessException("no");
                    }));
            outer.dsl().transaction(inner -> JooqOutbox.persist(inner.dsl()).persist(StoreTest.message(0, "b")));
            return outer.dsl()
                    .transactionResult(inner -> JooqOutbox.persist(inner).persist(StoreTest.message(0, "c")));
        });
        assertEquals(7, UUID.fromString(id).version(), id);
        assertThrows(
                DataAccessException.class,
                () -> ctx.transaction(outer -> {
                    outer.dsl().transaction(inner -> JooqOutbox.persist(inner).persist(StoreTest.message(0, "gone")));
                    throw new DataAccessException("no");
                }));
        assertPublished("a", "b", "c");
    }

    /** The context itself is in the transaction of the thread. */
    @Test
    void transactionsOfTheThreadWork() {
        DefaultConfiguration configuration = configuration(true);
        configuration.setTransactionProvider(
                new ThreadLocalTransactionProvider(new DataSourceConnectionProvider(pool(true))));
        DSLContext ctx = configuration.dsl();
        PersistFunc persist = JooqOutbox.persist(ctx);
        assertRefused(persist, "auto-commit");
        ctx.transaction(() -> {
            persist.persist(StoreTest.message(0, "a"));
            ctx.transaction(() -> persist.persist(StoreTest.message(0, "b")));
        });
        assertRefused(persist, "auto-commit");
        assertPublished("a", "b");
    }

    @Test
    void aContextOutsideTheTransactionIsRefused() {
        DSLContext ctx = configuration(true).dsl();
        assertRefused(JooqOutbox.persist(ctx), "auto-commit", "transaction(…)");
        assertRefused(JooqOutbox.persist(ctx.configuration()), "auto-commit");
        ctx.transaction(tx -> assertRefused(JooqOutbox.persist(ctx), "auto-commit"));
        assertRefused(JooqOutbox.persist(DSL.using(SQLDialect.H2)), "no connection", "transaction(…)");
        assertPublished();
    }

    /** Nobody can tell that there is no transaction then; but what is never committed is never published either. */
    @Test
    void aPoolWithoutAutoCommitHidesThatThereIsNoTransaction() {
        DSLContext ctx = configuration(false).dsl();
        JooqOutbox.persist(ctx).persist(StoreTest.message(0, "never committed"));
        ctx.transaction(tx -> JooqOutbox.persist(tx).persist(StoreTest.message(0, "committed")));
        assertPublished("committed");
    }

    /** Without a commit of its own it is up to the code that has the connection next, as the document says. */
    @ParameterizedTest
    @EnumSource(PoolLibrary.class)
    void whatIsPublishedAfterTheCommitIsUpToThePool(PoolLibrary library) throws Exception {
        try (PoolLibrary.Pool pool = library.open(address, 1, Duration.ofSeconds(30))) {
            Connection connection = pool.getConnection();
            connection.setAutoCommit(false);
            PersistFunc persist = JdbcOutbox.persist(connection);
            persist.persist(StoreTest.message(0, "in it"));
            connection.commit();
            persist.persist(StoreTest.message(0, "after it"));
            connection.close();
            List<String> published = new ArrayList<>();
            try (Store store = Stores.open(address)) {
                published.addAll(StoreTest.publishAll(store, 100));
                try (Connection next = pool.getConnection()) {
                    if (!next.getAutoCommit()) {
                        published.add("-");
                        next.commit();
                    }
                }
                published.addAll(StoreTest.publishAll(store, 100));
            }
            assertEquals(
                    switch (library) {
                        case HIKARI, DBCP, C3P0 -> List.of("in it");
                        case AGROAL -> List.of("in it", "after it");
                        case TOMCAT -> List.of("in it", "-", "after it");
                    },
                    published);
        }
    }

    /** It is a context outside of any transaction then. */
    @Test
    void theConfigurationOfATransactionThatHasEndedIsRefused() {
        AtomicReference<@Nullable Configuration> kept = new AtomicReference<>();
        configuration(true).dsl().transaction(kept::set);
        assertRefused(JooqOutbox.persist(Objects.requireNonNull(kept.get())), "auto-commit");
        assertPublished();
    }

    @Test
    void aCommitWakesTheRelay() throws Exception {
        BlockingQueue<String> published = new LinkedBlockingQueue<>();
        Topic<String> topic = Topic.builder(StoreTest.TOPIC, String.class)
                .publisher(delivery -> {
                    published.add(delivery.message());
                    return Receipt.taken();
                })
                .build();
        AtomicInteger woken = new AtomicInteger();
        try (Store store = Stores.open(address);
                Relay relay = Relay.builder(store)
                        .topic(topic)
                        .maxPollInterval(Duration.ofHours(1))
                        .build()) {
            relay.start();
            DSLContext ctx = waking(() -> {
                woken.incrementAndGet();
                relay.wakeUp();
            });
            for (String text : List.of("1", "2", "3")) {
                ctx.transaction(tx -> Outbox.bind(topic, JooqOutbox.persist(tx)).publish(text));
                assertEquals(text, published.poll(30, TimeUnit.SECONDS));
            }
            assertEquals(3, woken.get());
        }
    }

    @Test
    void onlyTheOutermostCommitWakes() {
        AtomicInteger woken = new AtomicInteger();
        DSLContext ctx = waking(woken::incrementAndGet);
        ctx.transaction(outer -> {
            outer.dsl().transaction(inner -> inner.dsl().transaction(innermost -> {}));
            assertEquals(0, woken.get(), "after savepoints");
            ctx.transaction(other -> {});
            assertEquals(1, woken.get(), "after another transaction, on a connection of its own");
        });
        assertEquals(2, woken.get());
        assertThrows(
                DataAccessException.class,
                () -> ctx.transaction(outer -> {
                    outer.dsl().transaction(inner -> {});
                    throw new DataAccessException("no");
                }));
        assertEquals(2, woken.get(), "after a rollback");
        ctx.transactionResult(outer -> 1);
        assertEquals(3, woken.get());
    }

    @Test
    void whatFailsToWakeFailsNoTransaction() throws SQLException {
        DSLContext ctx = waking(() -> {
            throw new IllegalStateException("woken up too early");
        });
        ctx.transaction(tx -> JooqOutbox.persist(tx).persist(StoreTest.message(0, "a")));
        assertPublished("a");
    }
}
