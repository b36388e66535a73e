package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.Capability;
import dev.outbox.ConfigurationException;
import dev.outbox.OutgoingMessage;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.WakeUps;
import dev.outbox.processes.Await;
import dev.outbox.servers.PostgresServer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Wake-ups by LISTEN and NOTIFY, beyond what the contract asks of wake-ups. */
@Tag("postgres")
@Timeout(300)
class PostgresListenTest {
    private static final StoreOptions LISTEN = StoreOptions.defaults().withWakeUp(true);

    private final PostgresHarness harness = new PostgresHarness();
    private String address = "";

    @BeforeEach
    void create() throws Exception {
        address = harness.createOutbox();
    }

    @AfterEach
    void drop() throws Exception {
        harness.dropOutbox(address);
    }

    @Test
    void withoutTheTriggerItIsRefusedWithWhatToRun() throws Exception {
        String refusal = refusal(address, LISTEN);
        assertTrue(refusal.endsWith(JdbcOutbox.wakeUpDdl(SqlDatabase.POSTGRESQL)), refusal);
        String ddl = refusal.substring(refusal.indexOf("CREATE OR REPLACE"));
        execute(address, ddl);
        execute(address, ddl); // can be run again
        Stores.open(address, LISTEN).close();
        execute(address, "ALTER TABLE outbox_message DISABLE TRIGGER outbox_message_notify");
        assertTrue(refusal(address, LISTEN).contains("disabled"));
    }

    /** A transaction is open, and takes its time: making the trigger gives way to writers again and again. */
    @Test
    void makingTheTriggerStopsNoWriterForLong() throws Exception {
        try (Connection open = DriverManager.getConnection(address)) {
            open.setAutoCommit(false);
            write(open);
            CompletableFuture<Store> opening =
                    CompletableFuture.supplyAsync(() -> Stores.open(address, LISTEN.withCreateSchema(true)));
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(4);
            while (System.nanoTime() < end) {
                CompletableFuture.runAsync(() -> {
                            try {
                                commit(address);
                            } catch (SQLException e) {
                                throw new IllegalStateException(e);
                            }
                        })
                        .get(60, TimeUnit.SECONDS);
            }
            assertFalse(opening.isDone(), "it cannot get through yet");
            open.commit();
            opening.get(60, TimeUnit.SECONDS).close();
        }
    }

    @Test
    void otherDatabasesAndWordsAreRefused() {
        assertTrue(refusal("jdbc:h2:mem:listen;DB_CLOSE_DELAY=-1", LISTEN).contains("only PostgreSQL"));
        assertTrue(refusal(address, LISTEN.with("wakeUp", "listen")).contains("true or false"));
        assertThrows(ConfigurationException.class, () -> JdbcOutbox.wakeUpDdl(SqlDatabase.MYSQL));
    }

    @Test
    void withoutTheOptionThereAreNoWakeUps() {
        try (Store store = Stores.open(address, LISTEN.withWakeUp(false))) {
            assertFalse(store.capabilities().has(Capability.WAKE_UP));
            assertThrows(ConfigurationException.class, () -> WakeUps.of(store));
            assertThrows(ConfigurationException.class, () -> ((WakeUps) store).onWakeUp(() -> {}));
        }
    }

    /** Each transaction once, whatever it writes; none that is rolled back; none of another outbox. */
    @Test
    void transactionsThatWriteMessagesWakeUp() throws Exception {
        execute(address, "CREATE SCHEMA other");
        String other = address + "&currentSchema=other";
        try (Store store = open(address);
                Store another = open(other);
                Connection writer = DriverManager.getConnection(address)) {
            AtomicInteger calls = new AtomicInteger();
            AtomicInteger otherCalls = new AtomicInteger();
            WakeUps.of(store).onWakeUp(calls::incrementAndGet);
            WakeUps.of(another).onWakeUp(otherCalls::incrementAndGet);
            writer.setAutoCommit(false);
            for (int i = 0; i < 3; i++) {
                write(writer);
            }
            writer.rollback();
            commit(other);
            await("a wake-up of the other outbox", () -> otherCalls.get() == 1);
            assertEquals(0, calls.get(), "wake-ups by a transaction that was rolled back, and by another outbox");
            for (int i = 0; i < 3; i++) {
                write(writer);
            }
            writer.commit();
            await("a wake-up", () -> calls.get() > 0);
            commit(address);
            await("another wake-up", () -> calls.get() > 1);
            assertEquals(2, calls.get(), "wake-ups by two transactions");
        }
    }

    @Test
    void tablesWithOtherNamesHaveATriggerOfTheirOwn() throws Exception {
        execute(address, "CREATE SCHEMA shop");
        JdbcOutbox.Named tables = JdbcOutbox.named("shop.events_");
        try (Store other = open(address);
                Store store = Stores.open(
                        address,
                        LISTEN.withCreateSchema(true)
                                .with(JdbcOutbox.STRICT_ORDER, true)
                                .withPrefix("shop.events_"));
                Connection writer = DriverManager.getConnection(address)) {
            AtomicInteger calls = new AtomicInteger();
            AtomicInteger otherCalls = new AtomicInteger();
            WakeUps.of(store).onWakeUp(calls::incrementAndGet);
            WakeUps.of(other).onWakeUp(otherCalls::incrementAndGet);
            writer.setAutoCommit(false);
            tables.persist(writer).persist(new OutgoingMessage("orders", 0, null, Map.of(), new byte[] {1}));
            assertEquals(List.of(), StoreTest.publishAll(store, 10), "beside an open transaction");
            writer.commit();
            await("a wake-up", () -> calls.get() == 1);
            assertEquals(1, StoreTest.publishAll(store, 10).size());
            commit(address);
            await("a wake-up of the other", () -> otherCalls.get() == 1);
            assertEquals(1, calls.get(), "wake-ups by a message of the other");
        }
        assertEquals(
                "shop",
                ask("SELECT nspname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
                        + " WHERE proname = 'events_notify'"));
    }

    @Test
    void aListenerThatThrowsHarmsNobody() throws Exception {
        try (Store store = open(address)) {
            AtomicInteger calls = new AtomicInteger();
            WakeUps.of(store).onWakeUp(() -> {
                throw new IllegalStateException("thrown on purpose");
            });
            WakeUps.of(store).onWakeUp(calls::incrementAndGet);
            for (int i = 1; i <= 3; i++) {
                int expected = i;
                commit(address);
                await("wake-up " + i, () -> calls.get() >= expected);
            }
        }
    }

    @Test
    void anIdleListenerIsInNoTransaction() throws Exception {
        try (Store store = open(address)) {
            assertTrue(store.capabilities().has(Capability.WAKE_UP));
            assertEquals(
                    List.of("idle"),
                    List.of(ask("SELECT string_agg(state, ' ') FROM pg_stat_activity"
                            + " WHERE datname = current_database() AND query LIKE 'LISTEN%'")));
        }
    }

    @Test
    void aLostConnectionIsReplacedAndWakesUpOnce() throws Exception {
        try (Store store = open(address)) {
            AtomicInteger calls = new AtomicInteger();
            WakeUps.of(store).onWakeUp(calls::incrementAndGet);
            String listening = "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity"
                    + " WHERE datname = current_database() AND query LIKE 'LISTEN%'";
            String before = ask(listening);
            ask("SELECT pg_terminate_backend(" + before + ")");
            await("a wake-up, since notifications may have been missed", () -> calls.get() == 1);
            Await.until(
                    "the session that was ended to be gone",
                    () -> !ask(listening).contains(before));
            commit(address);
            await("a wake-up over the new connection", () -> calls.get() == 2);
        }
    }

    @Test
    void aServerThatWasAwayIsListenedToAgain() throws Exception {
        try (PostgresServer server = PostgresServer.packaged()) {
            String url = server.newDatabase();
            try (Store store = open(url)) {
                AtomicInteger calls = new AtomicInteger();
                WakeUps.of(store).onWakeUp(calls::incrementAndGet);
                server.kill();
                server.restart();
                await("a wake-up, since notifications may have been missed", () -> calls.get() > 0);
                int before = calls.get();
                commit(url);
                await("a wake-up by the server started again", () -> calls.get() > before);
                server.kill();
            } // closes while there is no server
            await("no thread listens", () -> listeners() == 0);
        }
    }

    /** A connection of the application's pool is kept while the store is open, and comes back listening to nothing. */
    @Test
    void aPoolOfTheApplicationGetsItsConnectionBack() throws Exception {
        open(address).close();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(address);
        config.setMaximumPoolSize(3);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            try (Store store = JdbcOutbox.store(pool, LISTEN)) {
                AtomicInteger calls = new AtomicInteger();
                WakeUps.of(store).onWakeUp(calls::incrementAndGet);
                assertEquals(1, pool.getHikariPoolMXBean().getActiveConnections());
                commit(address);
                await("a wake-up", () -> calls.get() == 1);
            }
            await("all are back", () -> pool.getHikariPoolMXBean().getActiveConnections() == 0);
            int connections = pool.getHikariPoolMXBean().getTotalConnections();
            for (int i = 0; i < connections; i++) {
                Connection connection = pool.getConnection();
                assertTrue(connection.isValid(60));
                try (ResultSet row =
                        connection.createStatement().executeQuery("SELECT count(*) FROM pg_listening_channels()")) {
                    row.next();
                    assertEquals(0, row.getInt(1), "channels that connection " + i + " listens to");
                }
            } // closed with the pool
        }
        await("no thread listens", () -> listeners() == 0);
    }

    private static long listeners() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.isAlive() && thread.getName().startsWith("outbox-listener"))
                .count();
    }

    private static Store open(String url) {
        return Stores.open(url, LISTEN.withCreateSchema(true));
    }

    private static String refusal(String url, StoreOptions options) {
        return String.valueOf(assertThrows(ConfigurationException.class, () -> Stores.open(url, options))
                .getMessage());
    }

    private static void write(Connection connection) {
        JdbcOutbox.persist(connection)
                .persist(new OutgoingMessage("orders", 0, null, Map.of(), "text".getBytes(StandardCharsets.UTF_8)));
    }

    private static void commit(String url) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url)) {
            connection.setAutoCommit(false);
            write(connection);
            connection.commit();
        }
    }

    private static void execute(String url, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url)) {
            connection.createStatement().execute(sql);
        }
    }

    private String ask(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                ResultSet row = connection.createStatement().executeQuery(sql)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }

    private static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, "not within 90 s: " + what);
            LockSupport.parkNanos(2_000_000);
        }
    }
}
