package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.ConfigurationException;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.store.jooq.internal.checkout.Discovery;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.H2Dialect;
import dev.outbox.store.jooq.internal.dialect.MySqlDialect;
import dev.outbox.store.jooq.internal.dialect.PostgresDialect;
import dev.outbox.store.jooq.internal.schema.DdlScripts;
import dev.outbox.tck.StoreHarness;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** What is said to those who may not do what an outbox needs, and to those who ask a database that takes no writes. */
@Timeout(300)
abstract class AccessTest {
    static final String PASSWORD = "s3cr3t-of-a-user";

    private final StoreHarness harness;
    private final Dialect dialect;
    final String user = "u" + Long.toString(System.nanoTime(), 36);
    private boolean madeUser;
    String address = "";

    AccessTest(StoreHarness harness, Dialect dialect) {
        this.harness = harness;
        this.dialect = dialect;
    }

    @BeforeEach
    void create() throws Exception {
        address = harness.createOutbox();
    }

    @AfterEach
    void drop() throws Exception {
        if (madeUser) {
            if (dialect instanceof PostgresDialect) {
                execute("DROP OWNED BY " + user);
            }
            execute("DROP USER " + grantee());
        }
        harness.dropOutbox(address);
    }

    /** Makes the database, or the server, take no writes, and returns a URL by which to see that. */
    String readOnly() throws Exception {
        String url = urlOfOthers();
        turnReadOnly();
        return url;
    }

    /** The URL of somebody who may do everything to the outbox, but cannot write where others cannot. */
    String urlOfOthers() throws Exception {
        return address;
    }

    /** Makes the database, or the server, take no writes. */
    abstract void turnReadOnly() throws Exception;

    /** Undoes that. */
    abstract void writable() throws Exception;

    /** What is said of why nothing can be written. */
    abstract String cause();

    void execute(String... statements) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    String query(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                ResultSet row = connection.createStatement().executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    /** MySQL and MariaDB tell users by where they come from, too. */
    String grantee() throws SQLException {
        return dialect instanceof MySqlDialect
                ? "'" + user + "'@'" + query("SELECT substring_index(user(), '@', -1)") + "'"
                : user;
    }

    /** Makes a user, and returns the URL for it, password and all. */
    String urlOfNewUser(String... rights) throws SQLException {
        madeUser = true;
        execute("CREATE USER " + grantee() + (dialect instanceof MySqlDialect ? " IDENTIFIED BY '" : " PASSWORD '")
                + PASSWORD + "'");
        for (String right : rights) {
            execute("GRANT " + right + " TO " + grantee());
        }
        return dialect instanceof H2Dialect
                ? address + ";USER=" + user + ";PASSWORD=" + PASSWORD
                : address.replaceFirst("user=[^&]*", "user=" + user)
                        .replaceFirst("password=[^&]*", "password=" + PASSWORD);
    }

    /** What is thrown, without the password anywhere in it. */
    static <T extends OutboxException> String refusal(Class<T> type, Executable call) {
        T refused = assertThrows(type, call);
        for (Throwable t = refused; t != null; t = t.getCause()) {
            assertFalse(t.toString().contains(PASSWORD), t.toString());
        }
        return refused.getMessage();
    }

    private String refusal(String url) {
        return refusal(ConfigurationException.class, () -> Stores.open(url).close());
    }

    @Test
    void aRelayThatLacksARightIsToldWhatToGrant() throws Exception {
        String url = urlOfNewUser("SELECT ON outbox_schema");
        String text = refusal(url);
        Matcher grant = Pattern.compile("GRANT (.+) ON (\\S+) TO (.+);").matcher(text);
        assertTrue(grant.find(), text);
        execute(DdlScripts.statements(text.substring(text.indexOf("\n\n"))));
        exercise(url);
        int revoked = 0;
        do {
            for (String right : grant.group(1).split(", ", -1)) {
                // Locking a row is what needs it, and only PostgreSQL says so.
                if (dialect instanceof PostgresDialect
                        || !(right.equals("UPDATE") && grant.group(2).contains("dead"))) {
                    String one = right + " ON " + grant.group(2);
                    execute("REVOKE " + one + " FROM " + grant.group(3));
                    assertTrue(refusal(url).contains(grant.group()), "without " + one + ": " + refusal(url));
                    execute("GRANT " + one + " TO " + grant.group(3));
                    revoked++;
                }
            }
        } while (grant.find());
        assertTrue(revoked >= 11, "rights tried: " + revoked);
        exercise(url);
        startsWithoutMore(url);
    }

    /** Neither does it make any, and names that resemble those of the outbox are not its own. */
    @Test
    void noTablesButItsOwnAreTouched() throws Exception {
        List<String> others = List.of("orders", "outbox", "outbox_messages", "outbox_message_old", "my_outbox_message");
        for (String other : others) {
            execute("CREATE TABLE " + other + " (id integer)", "INSERT INTO " + other + " VALUES (7)");
        }
        startsWithoutMore(address);
        exercise(address);
        Set<String> expected = new TreeSet<>(others);
        expected.addAll(List.of("outbox_message", "outbox_partition", "outbox_dead_letter", "outbox_schema"));
        assertEquals(expected, tables());
        for (String other : others) {
            assertEquals("7", query("SELECT CASE WHEN count(*) = 1 THEN min(id) ELSE 0 END FROM " + other), other);
        }
    }

    private Set<String> tables() throws SQLException {
        String schema = dialect instanceof MySqlDialect ? "database()" : "current_schema";
        Set<String> tables = new TreeSet<>();
        try (Connection connection = DriverManager.getConnection(address);
                ResultSet rows = connection
                        .createStatement()
                        .executeQuery(
                                "SELECT table_name FROM information_schema.tables WHERE table_schema = " + schema)) {
            while (rows.next()) {
                tables.add(rows.getString(1).toLowerCase(Locale.ROOT));
            }
        }
        return tables;
    }

    /** As an application does that calls it at every start, where there is nothing to be made. */
    private static void startsWithoutMore(String url) {
        JdbcOutbox.createSchema(new Observed(url, true, Connection.TRANSACTION_READ_COMMITTED));
    }

    private static void exercise(String url) throws SQLException {
        try (Store store = Stores.open(url)) {
            try (Connection connection = DriverManager.getConnection(url)) {
                connection.setAutoCommit(false);
                for (String text : List.of("1", "2", "3")) {
                    JdbcOutbox.persist(connection).persist(StoreTest.message(0, text));
                }
                connection.commit();
            }
            Operations operations = Operations.of(store);
            try (MessageBatch batch = store.checkout(Set.of(StoreTest.TOPIC), 10)) {
                batch.markFailed(batch.messages().get(0), "away", Duration.ofHours(1));
            }
            assertEquals(1, operations.backlog().size());
            assertTrue(operations.retryNow(StoreTest.TOPIC, 0));
            try (MessageBatch batch = store.checkout(Set.of(StoreTest.TOPIC), 10)) {
                batch.deadLetter(batch.messages().get(0), "poison");
                batch.deadLetter(batch.messages().get(1), "poison");
            }
            List<String> dead = operations.deadLetters(StoreTest.TOPIC, null, 10).stream()
                    .map(letter -> letter.message().id())
                    .toList();
            assertEquals(1, operations.discard(dead.subList(0, 1)));
            assertEquals(1, operations.redrive(dead.subList(1, 2)));
            assertEquals(2, StoreTest.publishAll(store, 10).size());
        }
    }

    /** What logs in by the driver alone logs in by us, and nothing else does. */
    @Test
    void passwordsInUrlsAreReadAsTheDriverReadsThem() throws Exception {
        String url = urlOfNewUser();
        execute("GRANT ALL ON "
                + (dialect instanceof MySqlDialect ? query("SELECT database()") + ".*" : "outbox_schema") + " TO "
                + grantee());
        int accepted = 0;
        for (String password :
                List.of("a+b", "a%b", "a%2Bb", "a&b", "a#b", "a b", "a;b", "a?b", "a=b", "a@b/c:d", "ä€")) {
            execute(
                    dialect instanceof MySqlDialect
                            ? "ALTER USER " + grantee() + " IDENTIFIED BY '" + password + "'"
                            : "ALTER USER " + grantee()
                                    + (dialect instanceof H2Dialect ? " SET PASSWORD '" : " PASSWORD '") + password
                                    + "'");
            for (String written : List.of(password, URLEncoder.encode(password, StandardCharsets.UTF_8))) {
                String asWritten = url.replace(PASSWORD, written);
                boolean driver = connects(asWritten);
                boolean store = opens(asWritten);
                assertEquals(driver, store, "whether " + password + " is accepted when written as " + written);
                accepted += store ? 1 : 0;
            }
        }
        assertTrue(accepted >= 9, accepted + " accepted");
    }

    private static boolean connects(String url) {
        try {
            DriverManager.getConnection(url).close();
            return true;
        } catch (SQLException | RuntimeException e) {
            return false;
        }
    }

    /** It may lack rights, which it does not find out before it has logged in. */
    private static boolean opens(String url) {
        try {
            Stores.open(url).close();
            return true;
        } catch (OutboxException e) {
            return String.valueOf(e.getMessage()).contains("GRANT");
        }
    }

    @Test
    void writersNeedLess() throws Exception {
        String url = urlOfNewUser("SELECT ON outbox_message");
        String text;
        try (Connection connection = DriverManager.getConnection(url)) {
            connection.setAutoCommit(false);
            text = refusal(
                    ConfigurationException.class,
                    () -> JdbcOutbox.persist(connection).persist(StoreTest.message(0, "refused")));
            connection.rollback();
        }
        assertTrue(text.contains("GRANT INSERT ON outbox_message TO "), text);
        execute("GRANT INSERT ON outbox_message TO " + grantee());
        try (Connection connection = DriverManager.getConnection(url)) {
            connection.setAutoCommit(false);
            JdbcOutbox.persist(connection).persist(StoreTest.message(0, "a"));
            connection.commit();
        }
        startsWithoutMore(url);
        try (Store store = harness.open(address)) {
            assertEquals(List.of("a"), StoreTest.publishAll(store, 10));
        }
    }

    /** The relay is open already; then the server is demoted, or an administrator wants quiet. */
    void assertNothingIsHandedOutOnceItIsReadOnly() throws Exception {
        String url = urlOfOthers();
        try (Store store = Stores.open(url);
                HikariDataSource pool = new HikariDataSource(config(url));
                Store ofPool = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            for (Store each : List.of(store, ofPool)) {
                write(url, "a");
                assertEquals(List.of("a"), published(each)); // its partition is known from here on
                write(url, "b");
                turnReadOnly();
                try {
                    assertNothingIsHandedOut(each);
                } finally {
                    writable();
                }
                // Connections that cannot write are not kept: the next ones may lead to where one can.
                assertEquals(List.of("b"), published(each));
            }
        }
    }

    /** A relay that has nothing to do says so, too: that nothing can be written may be why. */
    void assertAnIdleOneSaysThatItIsReadOnly() throws Exception {
        String url = urlOfOthers();
        Duration before = Discovery.writableEvery;
        Discovery.writableEvery = Duration.ofMillis(200);
        try (Store store = Stores.open(url)) {
            assertEquals(List.of(), published(store));
            turnReadOnly();
            try {
                String text = "";
                long deadline = System.nanoTime() + Duration.ofSeconds(90).toNanos();
                while (!text.contains(cause())) {
                    assertTrue(System.nanoTime() - deadline < 0, "the idle store says: " + text);
                    text = whatItSays(store);
                }
                assertNothingIsHandedOut(store); // again and again, until it can be written to
            } finally {
                writable();
            }
            assertEquals(List.of(), published(store));
        } finally {
            Discovery.writableEvery = before;
        }
    }

    private static String whatItSays(Store store) {
        try {
            StoreTest.publishAll(store, 10);
            return "";
        } catch (StoreException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** Of other connections it may be found out only now that they have ended. */
    private static List<String> published(Store store) {
        for (int i = 0; ; i++) {
            try {
                return StoreTest.publishAll(store, 10);
            } catch (StoreException e) {
                assertTrue(i < 5, e.toString());
            }
        }
    }

    /** The first answers may be that a connection has ended. */
    void assertNothingIsHandedOut(Store store) {
        String text = "";
        for (int i = 0; i < 20 && !text.contains(cause()); i++) {
            text = refusal(StoreException.class, () -> store.checkout(Set.of(StoreTest.TOPIC), 10));
        }
        assertTrue(text.contains(cause()) && text.contains("primary"), text);
    }

    static HikariConfig config(String url) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(3);
        return config;
    }

    private static void write(String url, String text) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url)) {
            connection.setAutoCommit(false);
            JdbcOutbox.persist(connection).persist(StoreTest.message(0, text));
            connection.commit();
        }
    }

    /** Each of these either does no harm, or is refused when the store is opened. */
    @Test
    void aPoolThatIsReadOnlyIsRefusedOrWorks() throws Exception {
        HikariConfig readOnly = config(address);
        readOnly.setReadOnly(true);
        HikariConfig initialized = config(address);
        initialized.setConnectionInitSql(
                dialect instanceof PostgresDialect
                        ? "SET default_transaction_read_only = on"
                        : dialect instanceof MySqlDialect ? "SET SESSION TRANSACTION READ ONLY" : "SELECT 1");
        for (HikariConfig config : List.of(readOnly, initialized)) {
            write(address, "a");
            try (HikariDataSource pool = new HikariDataSource(config);
                    Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
                assertEquals(List.of("a"), StoreTest.publishAll(store, 10));
            } catch (ConfigurationException e) {
                assertTrue(String.valueOf(e.getMessage()).contains("read-only"), e.getMessage());
                try (Store store = Stores.open(address)) {
                    assertEquals(List.of("a"), StoreTest.publishAll(store, 10));
                }
            }
        }
    }

    @Test
    void aDatabaseThatTakesNoWritesIsRefused() throws Exception {
        String url = readOnly();
        try {
            String text = refusal(url);
            assertTrue(text.contains("read-only") && text.contains("primary"), text);
            Observed pool = new Observed(url, true, Connection.TRANSACTION_READ_COMMITTED);
            text = refusal(
                    ConfigurationException.class,
                    () -> JdbcOutbox.store(pool, StoreOptions.defaults()).close());
            assertTrue(text.contains("primary"), text);
            text = refusal(
                    ConfigurationException.class,
                    () -> JdbcOutbox.named("none_").createSchema(pool));
            assertTrue(text.contains("primary"), text);
            try (Connection connection = DriverManager.getConnection(url)) {
                connection.setAutoCommit(false);
                text = refusal(
                        StoreException.class,
                        () -> JdbcOutbox.persist(connection).persist(StoreTest.message(0, "refused")));
                assertTrue(text.contains("primary"), text);
                connection.rollback();
            }
        } finally {
            writable();
        }
        try (Store store = harness.open(address)) {
            assertEquals(List.of(), StoreTest.publishAll(store, 10));
        }
    }
}
