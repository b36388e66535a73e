package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreOption;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.store.jooq.internal.checkout.TopicSet;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the store promises beyond the contract, on H2; and what it says when it cannot be opened. */
class H2StoreTest extends StoreTest {
    H2StoreTest() {
        super(new H2Harness(), Dialects.H2);
    }

    @Test
    void discoveryProbesTheIndex() throws Exception {
        execute("INSERT INTO outbox_message (topic, partition_no, payload)"
                + " SELECT 'orders', MOD(x, 8), X'00' FROM SYSTEM_RANGE(1, 40000)");
        assertProbes(Dialects.H2.discovery(List.of("orders", "none")));
    }

    @Test
    void pagesAndMessagesAreFoundInTheIndex() throws Exception {
        execute("INSERT INTO outbox_message (topic, partition_no, payload, message_id)"
                + " SELECT 'topic' || MOD(x, 3), MOD(x, 8), X'00', RANDOM_UUID() FROM SYSTEM_RANGE(1, 40000)");
        List<String> queries = new ArrayList<>(listing());
        assertEquals(2, queries.size(), queries.toString());
        queries.add(finding());
        for (String sql : queries) {
            assertProbes(sql);
        }
    }

    private void assertProbes(String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection(address);
                ResultSet plan = connection.createStatement().executeQuery("EXPLAIN ANALYZE " + sql)) {
            plan.next();
            Matcher scans = Pattern.compile("scanCount: (\\d+)").matcher(plan.getString(1));
            int most = 0;
            while (scans.find()) {
                most = Math.max(most, Integer.parseInt(scans.group(1)));
            }
            assertTrue(most > 0 && most < 50, plan.getString(1));
        }
    }

    /** There is no wire to count on. */
    @Test
    void everyStatementIsAccountedFor() throws Exception {
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            commit(0, "1", "2", "3", "4");
            publishAll(store, 1); // which adds the partition
            assertSent(pool, 3, () -> publishAll(store, 3), "take, read, delete", "COMMIT");
            publishAll(store, 1);
            assertSent(pool, 1, () -> publishAll(store, 1), "an idle poll");
        }
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            PersistFunc persist = JdbcOutbox.persist(connection);
            assertSent(pool, 1, () -> persist.persist(message(0, "5")), "persisting");
            connection.commit();
        }
    }

    /** Discovery comes from time to time, so the least of several tries counts. */
    private void assertSent(Observed pool, int expected, Runnable action, String what, String... more) {
        pool.sent.clear();
        action.run();
        List<String> sent = new ArrayList<>(pool.sent);
        if (!sent.isEmpty() && sent.get(0).equals(Dialects.H2.discovery(List.of(TOPIC))) && expected > 1) {
            sent.remove(0);
        }
        assertEquals(expected + more.length, sent.size(), what + ": " + String.join("\n", sent));
    }

    @Test
    void whatIsSetUpWronglyIsSaidAtOnce() {
        assertRefused("jdbc:oracle:thin:scott/tiger@host:1521/x", StoreOptions.defaults(), "PostgreSQL", "H2");
        assertRefused(address, StoreOptions.defaults().with("wakeup", "true"), "wakeup", "wakeUp");
        assertRefused(address, StoreOptions.defaults().with("createSchema", "none"), "createSchema", "none");
        assertRefused(address, StoreOptions.defaults().withUser("nobody").withPassword("s3cr3t"), "user and password");
        assertRefused(address + ";USER=nobody;PASSWORD=s3cr3t", StoreOptions.defaults(), "user and password");
        assertRefused(address + ";PASSWORD=s3cr3t;NO_SUCH=1", StoreOptions.defaults(), "Correct the URL");
    }

    @Test
    void optionsWithoutEffectAreRefused() {
        for (StoreOption<Boolean> option :
                List.of(JdbcOutbox.STRICT_ORDER, StoreOptions.WAKE_UP, JdbcOutbox.ONE_NODE)) {
            StoreOptions options = StoreOptions.defaults();
            assertRefused(address, options.with(option, true), option + "=true is not for H2", "Leave it out");
            Stores.open(address, options.with(option, false)).close(); // which holds
        }
        DataSource pool = new Observed(address, true, 3);
        for (StoreOptions options : List.of(
                StoreOptions.defaults().withUser("sa"), StoreOptions.defaults().withPassword("s3cr3t"))) {
            String text = assertThrows(ConfigurationException.class, () -> JdbcOutbox.store(pool, options))
                    .getMessage();
            assertTrue(text.contains("has no effect here: the pool is that of the application"), text);
            assertFalse(text.contains("s3cr3t"), text);
        }
    }

    static void assertRefused(String url, StoreOptions options, String... texts) {
        ConfigurationException refused = assertThrows(
                ConfigurationException.class, () -> Stores.open(url, options).close());
        for (String text : texts) {
            assertTrue(String.valueOf(refused.getMessage()).contains(text), refused.getMessage());
        }
        for (Throwable t = refused; t != null; t = t.getCause()) {
            String shown = t.toString();
            assertTrue(!shown.contains("s3cr3t") && !shown.contains("tiger"), shown);
        }
    }

    @Test
    void optionsReplaceTheUsersOfTheUrl() throws Exception {
        execute("CREATE USER relay PASSWORD 'right' ADMIN");
        StoreOptions options = StoreOptions.defaults().withUser("relay").withPassword("right");
        commit(0, "a");
        try (Store store = Stores.open(address + ";USER=nobody;PASSWORD=wrong", options)) {
            assertEquals(List.of("a"), publishAll(store, 10));
        }
    }

    @Test
    void aDatabaseInMemoryThatWouldVanishIsRefused() {
        ConfigurationException e = assertThrows(ConfigurationException.class, () -> Stores.open("jdbc:h2:mem:gone"));
        assertTrue(e.getMessage().contains(";DB_CLOSE_DELAY=-1"), e.getMessage());
    }

    @Test
    void modesOfOtherDatabasesWork() throws Exception {
        for (String mode : List.of("Oracle", "MSSQLServer", "Derby", "STRICT", "PostgreSQL", "MySQL")) {
            String url = "jdbc:h2:mem:mode" + mode + ";DB_CLOSE_DELAY=-1;MODE=" + mode;
            try (Store store = Stores.open(url);
                    Connection connection = DriverManager.getConnection(url)) {
                connection.setAutoCommit(false);
                JdbcOutbox.persist(connection).persist(message(0, mode));
                connection.commit();
                assertEquals(List.of(mode), publishAll(store, 10));
            }
        }
    }

    @Test
    void statementsOfTheUrlAreNotShown() {
        String url = "jdbc:h2:mem:init;DB_CLOSE_DELAY=-1;INIT=CREATE USER X PASSWORD 's3cr3t' NONSENSE";
        Exception e = assertThrows(OutboxException.class, () -> Stores.open(url));
        for (Throwable t = e; t != null; t = t.getCause()) {
            assertFalse(t.toString().contains("s3cr3t"), t.toString());
        }
    }

    /** More than a batch may hold, and room for all: those that were left out come first the next time. */
    @Test
    void morePartitionsThanABatchHoldsTakeTurns() throws Exception {
        int partitions = TopicSet.MOST_PARTITIONS + 100;
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            for (int partition = 0; partition < partitions; partition++) {
                JdbcOutbox.persist(connection).persist(message(partition, "of " + partition));
            }
            connection.commit();
        }
        Set<String> came = new HashSet<>();
        try (Store store = Stores.open(address)) {
            for (int i = 0; i < 2; i++) {
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 1_000)) {
                    assertEquals(TopicSet.MOST_PARTITIONS, batch.messages().size());
                    came.addAll(texts(batch)); // and releases them
                }
            }
        }
        assertEquals(partitions, came.size(), "partitions that had a turn");
    }

    @Test
    void aFileIsClosedWithTheLastStoreAndKeepsWhatIsInIt(@TempDir Path directory) throws Exception {
        String file = "jdbc:h2:file:" + directory.resolve("outbox");
        try (Store store = Stores.open(file);
                Connection connection = DriverManager.getConnection(file)) {
            connection.setAutoCommit(false);
            JdbcOutbox.persist(connection).persist(message(0, "kept"));
            connection.commit();
            assertEquals(1, store.checkout(Set.of(TOPIC), 10).messages().size());
        }
        assertFalse(Files.exists(directory.resolve("outbox.lock.db")));
        try (Store store = Stores.open(file)) {
            assertEquals(List.of("kept"), publishAll(store, 10));
        }
    }
}
