package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.ConfigurationException;
import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.store.jooq.internal.opening.Rehearsal;
import dev.outbox.tck.StoreHarness;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a store refuses to be opened on, because its batches could not rest on it; on every database. */
@Timeout(300)
abstract class OpeningTest {
    private final StoreHarness harness;
    String address = "";

    OpeningTest(StoreHarness harness) {
        this.harness = harness;
    }

    @BeforeEach
    void create() throws Exception {
        address = harness.createOutbox();
    }

    @AfterEach
    void drop() throws Exception {
        harness.dropOutbox(address);
    }

    void execute(String... statements) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private int count(String table) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*) FROM " + table)) {
            row.next();
            return row.getInt(1);
        }
    }

    /** What is said of a URL, with a pool of the store's own and with the application's. */
    static String refusal(String url) {
        String text = String.valueOf(assertThrows(
                        ConfigurationException.class, () -> Stores.open(url).close())
                .getMessage());
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            String again = String.valueOf(assertThrows(
                            ConfigurationException.class,
                            () -> JdbcOutbox.store(pool, StoreOptions.defaults())
                                    .close())
                    .getMessage());
            assertTrue(again.contains(text.substring(text.length() / 2)), text + "\n" + again);
        }
        return text;
    }

    void write(String... texts) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            for (String text : texts) {
                JdbcOutbox.persist(connection).persist(StoreTest.message(0, text));
            }
            connection.commit();
        }
    }

    void assertOpens() throws SQLException {
        write("a", "b");
        try (Store store = Stores.open(address)) {
            assertTrue(StoreTest.publishAll(store, 100).containsAll(List.of("a", "b")));
        }
    }

    @Test
    void openingLeavesNothingBehindAndHandsNothingOfItsOwnOut() throws Exception {
        try (Store store = Stores.open(address)) {
            assertEquals(0, count("outbox_message"));
            assertEquals(0, count("outbox_partition"));
            // one that died in the middle
            execute("INSERT INTO outbox_message (topic, partition_no, payload) SELECT '" + Rehearsal.TOPIC
                    + "', 0, '' FROM outbox_schema");
            assertEquals(List.of(), Operations.of(store).backlog());
        }
        Stores.open(address).close();
        assertEquals(1, count("outbox_message"), "of another that may be at it");
        execute("UPDATE outbox_message SET created_at = '2020-01-01 00:00:00'");
        Stores.open(address).close();
        assertEquals(0, count("outbox_message"));
    }
}
