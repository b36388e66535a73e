package dev.outbox.store.jooq.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.ConfigurationException;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.PgBouncer;
import dev.outbox.servers.PostgresServer;
import dev.outbox.store.jooq.JdbcOutbox;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What docs/POSTGRESQL.md says of PgBouncer in transaction mode. */
@Tag("postgres")
@Tag("pgbouncer")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class PgBouncerTest {
    private static final String PREPARES_NOTHING = "&prepareThreshold=0";
    private static final Set<String> TOPICS = Set.of(Settings.TOPIC);

    private String direct = "";

    @BeforeEach
    void create() throws Exception {
        direct = PostgresServer.shared().newDatabase();
    }

    @AfterEach
    void drop() throws Exception {
        PostgresServer.shared().dropDatabase(direct);
    }

    /** The driver prepares even a COMMIT at its first use, unless told otherwise. */
    private static void write(String url, int partition, String... texts) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url + PREPARES_NOTHING)) {
            connection.setAutoCommit(false);
            for (String text : texts) {
                BatchFaultTest.persist(connection, partition, text);
            }
            connection.commit();
        }
    }

    private static void createTables(String url) {
        Stores.open(url, StoreOptions.defaults().withCreateSchema(true)).close();
    }

    /** Writers, two relays of two workers each, and one connection fewer than those want at a time. */
    @Test
    void writersAndRelaysWorkAndWhatAKilledRelayHeldComesAgain() throws Exception {
        try (PgBouncer pooler = PgBouncer.before(direct, "default_pool_size = 7");
                History history =
                        new History(new PostgresDatabase(), "relay killed behind PgBouncer", direct, Settings.USUAL)) {
            String url = pooler.route(direct) + PREPARES_NOTHING;
            history.start(url, url);
            for (int i = 0; i < 2; i++) {
                RelayProcess relay = history.relay(1 + i % 2);
                history.awaitDelivered(50);
                int now = history.now();
                history.fault("kill " + relay.name());
                relay.kill();
                history.awaitLines("its successor", now, line -> line.is('D', relay.name()), 1);
            }
            history.finish();
            assertEquals(List.of(), List.copyOf(history.failures()), "failures of writers");
        }
    }

    @Test
    void noTwoBatchesHoldAPartitionThoughTheyShareConnections() throws Exception {
        try (PgBouncer pooler = PgBouncer.before(direct)) {
            String url = pooler.route(direct);
            createTables(url);
            write(url, 0, "1", "2");
            try (Store one = Stores.open(url);
                    Store other = Stores.open(url)) {
                for (int round = 0; round < 10; round++) { // so often that the driver would prepare statements
                    try (MessageBatch batch = one.checkout(TOPICS, 1)) {
                        assertEquals(1, batch.messages().size());
                        assertEquals(List.of(), other.checkout(TOPICS, 10).messages());
                    }
                    try (MessageBatch batch = other.checkout(TOPICS, 10)) {
                        assertEquals(2, batch.messages().size());
                        assertEquals(List.of(), one.checkout(TOPICS, 10).messages());
                    }
                }
                assertEquals(List.of("1", "2"), BatchFaultTest.publishAll(other));
            }
        }
    }

    @Test
    void nothingIsLeftInTheSessionsOfOthers() throws Exception {
        try (PgBouncer pooler = PgBouncer.before(direct, "default_pool_size = 1")) {
            String url = pooler.route(direct);
            String before = settings(url);
            createTables(url);
            write(url, 0, "1");
            try (Store store = Stores.open(url)) {
                assertEquals(List.of("1"), BatchFaultTest.publishAll(store));
                assertEquals(before, settings(url), "what the only session is set to");
            }
        }
    }

    private static String settings(String url) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT (SELECT string_agg(name || '=' || setting, ' ' ORDER BY"
                        + " name) FROM pg_settings WHERE source = 'session' AND name NOT IN ('application_name', 'transaction_isolation', 'transaction_read_only')),"
                        + " (SELECT string_agg(statement, ' ') FROM pg_prepared_statements)")) {
            row.next();
            return row.getString(1) + "; " + row.getString(2);
        }
    }

    @Test
    void listeningIsRefused() throws Exception {
        try (PgBouncer pooler = PgBouncer.before(direct)) {
            StoreOptions listening =
                    StoreOptions.defaults().withCreateSchema(true).withWakeUp(true);
            String text = assertThrows(ConfigurationException.class, () -> Stores.open(pooler.route(direct), listening))
                    .getMessage();
            assertTrue(text.contains("PgBouncer") && text.contains("the server's own address"), text);
            Stores.open(direct, listening).close();
        }
    }

    /**
     * The store's own pool waits for 10 seconds for the pooler to let a connection in. One that is in waits at its first
     * statement, for as long as the pooler says.
     */
    @Test
    void aBatchForWhichThereIsNoConnectionFails() throws Exception {
        try (PgBouncer pooler = PgBouncer.before(direct, "default_pool_size = 1")) {
            String url = pooler.route(direct);
            createTables(url);
            write(url, 0, "1");
            try (Store store = Stores.open(url)) {
                try (MessageBatch first = store.checkout(TOPICS, 1)) {
                    assertEquals(1, first.messages().size());
                    pooler.set("query_wait_timeout = 1"); // and not before, when a busy machine may take longer
                    StoreException second = assertThrows(StoreException.class, () -> store.checkout(TOPICS, 1));
                    assertTrue(
                            second.getMessage().contains("Getting a connection failed")
                                    || second.getMessage().contains("query_wait_timeout"),
                            second.toString());
                    assertTrue(first.isHeld());
                }
                BatchFaultTest.awaitPublished(store, "1");
            }
        }
    }

    @Test
    void aLimitOnIdleTransactionsEndsBatches() throws Exception {
        try (PgBouncer pooler = PgBouncer.before(direct)) {
            String url = pooler.route(direct);
            createTables(direct);
            write(direct, 0, "1");
            try (Store store = Stores.open(url);
                    Store other = Stores.open(direct)) {
                MessageBatch batch = store.checkout(TOPICS, 1);
                batch.markPublished(batch.messages().get(0), null);
                pooler.set(
                        "idle_transaction_timeout = 1"); // and not before, when a busy machine may be idle for longer
                BatchFaultTest.awaitPublished(other, "1");
                assertThrows(HoldLostException.class, batch::close);
            }
        }
    }

    /** PgBouncer before 1.21 does not know of statements that are prepared on the server. */
    @Test
    void aPoolOfTheApplicationMustPrepareNothing() throws Exception {
        try (PgBouncer pooler = PgBouncer.before(direct, "default_pool_size = 1", "min_pool_size = 1")) {
            String url = pooler.route(direct);
            createTables(url);
            try (HikariDataSource pool = BatchFaultTest.pool(url + PREPARES_NOTHING, 2);
                    Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
                assertDrained(url, store);
            }
            try (HikariDataSource pool = BatchFaultTest.pool(url, 2);
                    HikariDataSource second = BatchFaultTest.pool(url, 2)) {
                StoreException refused = assertThrows(StoreException.class, () -> {
                    try (Store one = JdbcOutbox.store(pool, StoreOptions.defaults());
                            Store other = JdbcOutbox.store(second, StoreOptions.defaults())) {
                        assertDrained(direct, one);
                        assertDrained(direct, other);
                    }
                });
                assertTrue(String.valueOf(refused.getMessage()).contains("prepared statement"), refused.toString());
            }
        }
    }

    private static void assertDrained(String url, Store store) throws SQLException {
        for (int i = 0; i < 10; i++) {
            write(url, 0, "1", "2");
            assertEquals(List.of("1", "2"), BatchFaultTest.publishAll(store));
        }
    }
}
