package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.MisuseException;
import dev.outbox.OutboxException;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.H2Dialect;
import dev.outbox.store.jooq.internal.dialect.MySqlDialect;
import dev.outbox.store.jooq.internal.dialect.PostgresDialect;
import dev.outbox.tck.StoreHarness;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.jooq.SQLDialect;
import org.jooq.impl.DefaultConfiguration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each way into a transaction, through each driver: it shares the transaction, or is refused and says why. */
@Timeout(300)
abstract class TransactionsTest {
    private static final AtomicInteger BRANCHES = new AtomicInteger();

    private final StoreHarness harness;
    private final Dialect dialect;
    private String address = "";

    TransactionsTest(StoreHarness harness, Dialect dialect) {
        this.harness = harness;
        this.dialect = dialect;
    }

    abstract XADataSource distributed(String url) throws SQLException;

    @BeforeEach
    void create() throws Exception {
        address = harness.createOutbox();
    }

    @AfterEach
    void drop() throws Exception {
        harness.dropOutbox(address);
    }

    Connection connect() throws SQLException {
        return DriverManager.getConnection(address);
    }

    private static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** As plain JDBC, and as jOOQ. */
    List<PersistFunc> ways(Connection connection) {
        DefaultConfiguration jooq = new DefaultConfiguration();
        jooq.setConnection(connection);
        jooq.setSQLDialect(SQLDialect.valueOf(
                dialect instanceof PostgresDialect
                        ? "POSTGRES"
                        : Product.database(dialect).name()));
        return List.of(JdbcOutbox.persist(connection), JooqOutbox.persist(jooq));
    }

    static void write(PersistFunc persist, String text) {
        persist.persist(StoreTest.message(0, text));
    }

    private static String refused(PersistFunc persist) {
        return assertThrows(MisuseException.class, () -> write(persist, "refused"))
                .getMessage();
    }

    void assertPublished(String... texts) {
        try (Store store = Stores.open(address, StoreOptions.defaults())) {
            assertEquals(List.of(texts), StoreTest.publishAll(store, 100));
        }
    }

    @Test
    void autoCommitIsRefused() throws Exception {
        try (Connection connection = connect()) {
            for (PersistFunc persist : ways(connection)) {
                assertTrue(refused(persist).contains("auto-commit mode and in no transaction"), refused(persist));
            }
            run(connection, "SELECT 1"); // it is as good as before
            connection.setAutoCommit(false);
            ways(connection).forEach(persist -> write(persist, "a"));
            connection.commit();
            connection.setAutoCommit(true);
            for (PersistFunc persist : ways(connection)) {
                refused(persist);
            }
        }
        assertPublished("a", "a");
    }

    /** A transaction is one, whoever began it and however. */
    @Test
    void aTransactionThatWasBegunInSqlIsShared() throws Exception {
        try (Connection connection = connect()) {
            for (String end : List.of("ROLLBACK", "COMMIT")) {
                run(connection, dialect instanceof MySqlDialect ? "START TRANSACTION" : "BEGIN");
                ways(connection).forEach(persist -> write(persist, end));
                run(connection, end);
            }
            for (PersistFunc persist : ways(connection)) {
                refused(persist);
            }
        }
        assertPublished("COMMIT", "COMMIT");
    }

    @Test
    void aBranchOfADistributedTransactionIsShared() throws Exception {
        XAConnection distributed = distributed(address).getXAConnection();
        try {
            XAResource resource = distributed.getXAResource();
            try (Connection connection = distributed.getConnection()) {
                List<PersistFunc> ways = new ArrayList<>(ways(connection));
                for (PersistFunc persist : ways) {
                    refused(persist);
                }
                for (String end : List.of("rolled back", "committed", "committed in one phase")) {
                    Xid branch = new Branch(BRANCHES.incrementAndGet());
                    resource.start(branch, XAResource.TMNOFLAGS);
                    ways.forEach(persist -> write(persist, end));
                    resource.end(branch, XAResource.TMSUCCESS);
                    if (end.equals("rolled back")) {
                        resource.rollback(branch);
                    } else {
                        boolean once = end.endsWith("phase");
                        if (!once) {
                            resource.prepare(branch);
                        }
                        resource.commit(branch, once);
                    }
                }
            }
        } finally {
            distributed.close();
        }
        assertPublished("committed", "committed", "committed in one phase", "committed in one phase");
    }

    /** Before it is prepared, a driver may still take it for the transaction that it is. */
    @Test
    void behindTheEndOfABranchAMessageIsRefusedOrPartOfIt() throws Exception {
        List<String> expected = new ArrayList<>();
        XAConnection distributed = distributed(address).getXAConnection();
        try {
            XAResource resource = distributed.getXAResource();
            try (Connection connection = distributed.getConnection()) {
                for (boolean commits : new boolean[] {false, true}) {
                    Xid branch = new Branch(BRANCHES.incrementAndGet());
                    resource.start(branch, XAResource.TMNOFLAGS);
                    write(ways(connection).get(0), "before");
                    resource.end(branch, XAResource.TMSUCCESS);
                    List<String> written = new ArrayList<>(List.of("before"));
                    for (PersistFunc persist : ways(connection)) {
                        try {
                            write(persist, "behind");
                            written.add("behind");
                        } catch (MisuseException e) {
                            assertTrue(e.getMessage().contains("between start and end of its branch"), e.getMessage());
                        }
                    }
                    resource.prepare(branch);
                    for (PersistFunc persist : ways(connection)) {
                        String text = assertThrows(OutboxException.class, () -> write(persist, "refused"))
                                .getMessage();
                        assertTrue(
                                text.contains("between start and end of its branch") || isH2ThatSays("PREPARED", text),
                                text);
                    }
                    if (commits) {
                        resource.commit(branch, false);
                        expected.addAll(written);
                    } else {
                        resource.rollback(branch);
                    }
                }
            }
        } finally {
            distributed.close();
        }
        assertPublished(expected.toArray(String[]::new));
    }

    private boolean isH2ThatSays(String word, String text) {
        return dialect instanceof H2Dialect && text.contains(word);
    }

    /** PostgreSQL takes nothing more in it; others go on. Back at a savepoint, all do. */
    @Test
    void aTransactionInWhichSomethingHasFailedSaysSo() throws Exception {
        try (Connection connection = connect()) {
            for (boolean inSql : new boolean[] {false, true}) {
                for (PersistFunc persist : ways(connection)) {
                    connection.setAutoCommit(inSql);
                    if (inSql) {
                        run(connection, dialect instanceof MySqlDialect ? "START TRANSACTION" : "BEGIN");
                    }
                    write(persist, "before");
                    run(connection, "SAVEPOINT here");
                    assertThrows(SQLException.class, () -> run(connection, "SELECT nothing FROM nowhere"));
                    for (int count : new int[] {1, 2}) {
                        try {
                            persist.persistAll(Collections.nCopies(count, null).stream()
                                    .map(n -> StoreTest.message(0, "undone"))
                                    .toList());
                        } catch (OutboxException e) {
                            assertTrue(e.getMessage().contains("back to a savepoint"), e.getMessage());
                        }
                    }
                    run(connection, "ROLLBACK TO SAVEPOINT here");
                    write(persist, "again");
                    run(connection, "COMMIT");
                }
            }
        }
        assertPublished("before", "again", "before", "again", "before", "again", "before", "again");
    }

    @Test
    void aReadOnlyTransactionIsToldSo() throws Exception {
        try (Connection connection = connect()) {
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            for (PersistFunc persist : ways(connection)) {
                String text = refused(persist);
                assertTrue(text.contains("The transaction is read-only"), text);
                assertFalse(text.contains("replica"), text);
                connection.rollback();
            }
            connection.setReadOnly(false);
            ways(connection).forEach(persist -> write(persist, "a"));
            connection.commit();
        }
        assertPublished("a", "a");
    }

    /** Begun so by a statement, of which the driver knows nothing; and what comes after the refusal. */
    @Test
    void aTransactionThatWasBegunReadOnlyInSqlIsToldSo() throws Exception {
        try (Connection connection = connect()) {
            for (int way : new int[] {0, 1}) {
                run(connection, dialect instanceof MySqlDialect ? "START TRANSACTION READ ONLY" : "BEGIN READ ONLY");
                String text = refused(ways(connection).get(way));
                assertTrue(text.contains("The transaction is read-only"), text);
                assertFalse(text.contains("replica"), text);
                run(connection, "ROLLBACK");
            }
            run(connection, dialect instanceof MySqlDialect ? "START TRANSACTION" : "BEGIN");
            ways(connection).forEach(persist -> write(persist, "a"));
            run(connection, "COMMIT");
        }
        assertPublished("a", "a");
    }

    @Test
    void aClosedConnectionIsRefused() throws Exception {
        Connection connection = connect();
        connection.setAutoCommit(false);
        connection.close();
        for (PersistFunc persist : ways(connection)) {
            assertTrue(refused(persist).contains("The connection is closed"), refused(persist));
        }
        assertPublished();
    }

    /** A pool lends another object than the driver's connection. It is in the transaction that the connection is in. */
    @ParameterizedTest
    @EnumSource(PoolLibrary.class)
    void aConnectionOfAPoolIsAsGoodAsItsOwn(PoolLibrary library) throws Exception {
        try (PoolLibrary.Pool pool = library.open(address, 1, Duration.ofSeconds(30))) {
            Connection connection = pool.getConnection();
            for (PersistFunc persist : ways(connection)) {
                assertTrue(refused(persist).contains("auto-commit mode and in no transaction"), refused(persist));
            }
            connection.setAutoCommit(false);
            ways(connection).forEach(persist -> write(persist, "rolled back"));
            connection.rollback();
            ways(connection).forEach(persist -> write(persist, "committed"));
            connection.commit();
            connection.setAutoCommit(true);
            connection.close();
            for (PersistFunc persist : ways(connection)) {
                assertTrue(refused(persist).contains("The connection is closed"), refused(persist));
            }
        }
        assertPublished("committed", "committed");
    }

    /** Where connections find no tables, or another outbox. Nobody can know which one was meant. */
    @Test
    void theTablesAreThoseThatTheConnectionFinds() throws Exception {
        String elsewhere = harness.createOutbox();
        try {
            try (Connection connection = DriverManager.getConnection(elsewhere)) {
                connection.setAutoCommit(false);
                ways(connection).forEach(persist -> write(persist, "elsewhere"));
                connection.commit();
                drop(connection);
                for (PersistFunc persist : ways(connection)) {
                    String text = assertThrows(ConfigurationException.class, () -> write(persist, "nowhere"))
                            .getMessage();
                    assertTrue(text.contains("in the schema that your connections use"), text);
                    connection.rollback();
                }
            }
        } finally {
            harness.dropOutbox(elsewhere);
        }
        assertPublished();
    }

    private void drop(Connection connection) throws SQLException {
        run(connection, "DROP TABLE outbox_message");
        connection.commit();
    }

    private record Branch(int number) implements Xid {
        @Override
        public int getFormatId() {
            return 1;
        }

        @Override
        public byte[] getGlobalTransactionId() {
            return ByteBuffer.allocate(12)
                    .putLong(System.identityHashCode(BRANCHES))
                    .putInt(number)
                    .array();
        }

        @Override
        public byte[] getBranchQualifier() {
            return new byte[] {1};
        }
    }
}
