package dev.outbox.store.jooq.internal.dialect;

import com.zaxxer.hikari.HikariConfig;
import dev.outbox.Operations.Backlog;
import dev.outbox.StoreOption;
import dev.outbox.store.jooq.internal.partition.DiscoveryQuery;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.OpenTransactions;
import dev.outbox.store.jooq.internal.partition.Partition;
import dev.outbox.store.support.Place;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** H2. Partitions are taken by locking their rows. */
public record H2Dialect(TableNames names) implements Dialect {
    private static final Object SCHEMA_MONITOR = new Object();

    /** The time of the statement. CURRENT_TIMESTAMP is the time of the transaction, and a batch is a transaction. */
    private static final String NOW = """
            (SELECT CAST(s.EXECUTING_STATEMENT_START AS timestamp(6) with time zone)
                FROM INFORMATION_SCHEMA.SESSIONS s WHERE s.SESSION_ID = SESSION_ID())""";

    /**
     * Whether a partition is not delayed. CURRENT_TIMESTAMP may be the beginning of the transaction. At worst the
     * partition then waits for the next checkout. The last condition is for a clock of the server that was set back:
     * nothing must wait until the clock has caught up. A partition that has failed since this transaction began has a
     * time that is only a little ahead.
     */
    private static final String READY = """
            (p.retry_at IS NULL OR p.retry_at <= CURRENT_TIMESTAMP
                OR p.failed_at > DATEADD(MINUTE, 1, CURRENT_TIMESTAMP))""";

    /** H2 reads the locked row again. So it does not return a row that has just become delayed. */
    private static final String TAKE = take("= ANY (?)");

    private static final String TAKE_ONE = take("= ?");

    private static String take(String ids) {
        return """
                SELECT p.id, p.topic, p.partition_no, p.failing_id
                FROM outbox_partition p
                WHERE p.id %s AND %s
                FETCH FIRST ? ROWS ONLY
                FOR UPDATE SKIP LOCKED
                """.formatted(ids, READY);
    }

    /** Has no expression that is the same for all rows, because H2 evaluates such an expression for each row. */
    private static final String READ = """
            m.id, m.original_id, m.message_id, m.message_key, m.headers,
                CASE WHEN octet_length(m.payload) <= ? THEN m.payload END, m.attempts, m.created_at,
                octet_length(m.payload)
            FROM outbox_message m
            WHERE m.topic = ? AND m.partition_no = ? AND m.id > ?
            ORDER BY m.topic, m.partition_no, m.id
            FETCH FIRST ? ROWS ONLY""";

    private static final String READ_ONE = "SELECT " + READ;
    private static final String READ_AMONG_OTHERS = "(SELECT CAST(? AS integer) AS n, " + READ + ")";

    private static final String FIRST = "ORDER BY m.topic, m.partition_no, m.id FETCH FIRST 1 ROW ONLY";
    private static final String HEAD = """
            SELECT m.id FROM outbox_message m
            WHERE m.topic = ? AND m.partition_no = ? AND m.id > ?
            """ + FIRST;
    private static final String NEXT_IN_TOPIC = """
            SELECT m.topic, m.partition_no FROM outbox_message m
            WHERE m.topic = ? AND m.partition_no >= CAST(? AS bigint)
            """ + FIRST;
    private static final String NEXT_TOPIC = """
            SELECT m.topic, m.partition_no FROM outbox_message m
            WHERE m.topic >= ?
            """ + FIRST;

    private static final String DISCOVERY = """
            WITH RECURSIVE head (topic, partition_no) AS (
                SELECT t.topic, (SELECT m.partition_no FROM outbox_message m WHERE m.topic = t.topic %1$s)
                FROM (VALUES ({topics})) t (topic)
                UNION ALL
                SELECT h.topic, (SELECT m.partition_no FROM outbox_message m
                    WHERE m.topic = h.topic AND m.partition_no >= h.partition_no + CAST(1 AS bigint) %1$s)
                FROM head h WHERE h.partition_no IS NOT NULL)
            SELECT h.topic, h.partition_no, p.id
            FROM head h LEFT JOIN outbox_partition p ON p.topic = h.topic AND p.partition_no = h.partition_no
            WHERE h.partition_no IS NOT NULL AND (p.id IS NULL OR %2$s)
            """.formatted(FIRST, READY);

    /** Each row that H2 deletes is compared with the ids of the list, one after the other. */
    private static final int LONGEST_DELETE_LIST = 50;

    /**
     * Less than every character of a topic's name: a name with it at the end comes after the name itself and before
     * every other name.
     */
    private static final String LEAST = "!";

    H2Dialect() {
        this(TableNames.DEFAULT);
    }

    @Override
    public H2Dialect on(Connection connection) {
        return this;
    }

    @Override
    public H2Dialect named(TableNames others) {
        return new H2Dialect(others);
    }

    @Override
    public String sql(String withDefaultNames) {
        return names.in(withDefaultNames);
    }

    @Override
    public String product() {
        return "H2";
    }

    @Override
    public int[] leastVersion() {
        return new int[] {2, 3};
    }

    @Override
    public Set<StoreOption<Boolean>> options() {
        return Set.of();
    }

    @Override
    public int[] version(DatabaseMetaData server) throws SQLException {
        return ServerVersion.asJdbcHasIt(server);
    }

    @Override
    public @Nullable String trap(String url) {
        return url.startsWith("jdbc:h2:mem:") && !"-1".equals(parameter("DB_CLOSE_DELAY", url))
                ? "An H2 database in memory is gone when its last connection is closed, and the"
                        + " messages in it: add ;DB_CLOSE_DELAY=-1 to the URL."
                : null;
    }

    @Override
    public boolean schemasAreCatalogs() {
        return false;
    }

    @Override
    public String grantOfSchema(String user) {
        return "";
    }

    @Override
    public String urlPrefix() {
        return "jdbc:h2:";
    }

    @Override
    public String driverClass() {
        return "org.h2.Driver";
    }

    @Override
    public String driverArtifact() {
        return "com.h2database:h2";
    }

    @Override
    public String ddlResource() {
        return "ddl/h2.sql";
    }

    @Override
    public boolean createsSchemaByDefault() {
        return true;
    }

    @Override
    public @Nullable String parameter(String name, String url) {
        return Arrays.stream(url.split(";"))
                .filter(parameter -> isNamed(name, parameter))
                .map(parameter -> parameter.substring(name.length() + 1))
                .findFirst()
                .orElse(null);
    }

    @Override
    public String without(String name, String url) {
        return Arrays.stream(url.split(";"))
                .filter(parameter -> !isNamed(name, parameter))
                .collect(Collectors.joining(";"));
    }

    private static boolean isNamed(String name, String parameter) {
        return parameter.regionMatches(true, 0, name + "=", 0, name.length() + 1);
    }

    @Override
    public String prepare(Properties driverSettings, String url) {
        return url; // nothing to set
    }

    @Override
    public void prepare(HikariConfig pool) {
        // nothing to set
    }

    /** The name that the catalog has for a table depends on settings, so the database is asked for it. */
    @Override
    public List<IndexInfo> indexes(Connection connection, String table) throws SQLException {
        Map<String, IndexInfo> indexes = new LinkedHashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet none = statement.executeQuery(sql("SELECT topic FROM " + table + " WHERE 1 = 0"))) {
            ResultSetMetaData found = none.getMetaData();
            try (ResultSet rows = connection
                    .getMetaData()
                    .getIndexInfo(null, found.getSchemaName(1), found.getTableName(1), false, true)) {
                while (rows.next()) {
                    String name = rows.getString("INDEX_NAME");
                    IndexInfo before = indexes.getOrDefault(
                            name, new IndexInfo(name, List.of(), !rows.getBoolean("NON_UNIQUE"), true));
                    List<String> columns = new ArrayList<>(before.columns());
                    columns.add(String.valueOf(rows.getString("COLUMN_NAME")).toLowerCase(Locale.ROOT));
                    boolean ascending = "A".equals(rows.getString("ASC_OR_DESC"));
                    indexes.put(name, new IndexInfo(name, columns, before.unique(), before.usable() && ascending));
                }
            }
        }
        return List.copyOf(indexes.values());
    }

    @Override
    public boolean namesIndexes() {
        return false;
    }

    @Override
    public String dropIndex(String index, String table) {
        return "DROP INDEX " + names.qualified(index);
    }

    /** IGNORECASE=TRUE makes columns of another type, and a collation may take letters for the same. */
    @Override
    public @Nullable String inexactTopic(Connection connection, String table) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        sql("SELECT (SELECT max(topic) FROM " + table + " WHERE 1 = 0), 'a' = 'A' OR 'ab' = 'a-b'"))) {
            rows.next();
            if (rows.getBoolean(2)) {
                return "the collation of the database takes different topics for the same. Use a database without SET"
                        + " COLLATION, or with one of STRENGTH IDENTICAL.";
            }
            return rows.getMetaData().getColumnTypeName(1).equals("CHARACTER VARYING")
                    ? null
                    : "the column topic of " + table + " is of the type "
                            + rows.getMetaData().getColumnTypeName(1) + ", which takes different topics for the same."
                            + " Remove IGNORECASE=TRUE from the URL, and run this:\n\nALTER TABLE " + table
                            + " ALTER COLUMN topic SET DATA TYPE varchar(200);";
        }
    }

    /** Its file is for tests and for what may be lost: see the README. */
    @Override
    public @Nullable String weakDurability(Connection connection) {
        return null;
    }

    /**
     * Far less than the second or two that others wait for their locks: they fail if they wait for this one that
     * long.
     */
    @Override
    public String limitLocks(Statement statement) throws SQLException {
        try (ResultSet before = statement.executeQuery("SELECT LOCK_TIMEOUT()")) {
            before.next();
            String restore = "SET LOCK_TIMEOUT " + before.getLong(1);
            statement.execute("SET LOCK_TIMEOUT 200");
            return restore;
        }
    }

    @Override
    public boolean isLockTimeout(SQLException e) {
        return e.getErrorCode() == 50200 || e.getErrorCode() == 40001 || e.getErrorCode() == 90131;
    }

    @Override
    public @Nullable String lockHolders(String table) {
        return null;
    }

    @Override
    public @Nullable String unfit(Connection connection, boolean oneNode) {
        return null;
    }

    @Override
    public String whereabouts() {
        String table = names.prefix() + "message";
        String schema = names.schema() == null ? "SCHEMA()" : "'" + names.schema() + "'";
        return """
                SELECT s, (
                    SELECT LISTAGG(t.TABLE_SCHEMA, ', ') FROM INFORMATION_SCHEMA.TABLES t
                    WHERE UPPER(t.TABLE_NAME) = UPPER('%s') AND UPPER(t.TABLE_SCHEMA) <> UPPER(s))
                FROM (SELECT %s AS s)
                """.formatted(table, schema);
    }

    @Override
    public String raiseIds() {
        return "ALTER TABLE outbox_message ALTER COLUMN id RESTART WITH (SELECT max(id) + 1 FROM outbox_message);";
    }

    @Override
    public boolean takeRehearsed(Connection connection, int lockKey, long rowId) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        sql("SELECT id FROM outbox_message WHERE id = " + rowId + " FOR UPDATE SKIP LOCKED"))) {
            return row.next();
        }
    }

    @Override
    public void lockSchema(Connection connection) {
        // creating tables locks the database anyway
    }

    /**
     * H2 adds a column by copying the table, and then renames the copy. Statements of other connections that come
     * between find no table, or lose an index. H2 is embedded, so others are in this process.
     */
    @Override
    public Object schemaMonitor() {
        return SCHEMA_MONITOR;
    }

    @Override
    public int beginTransaction(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        int before = connection.getTransactionIsolation();
        if (before != Connection.TRANSACTION_READ_COMMITTED) {
            connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        }
        return before;
    }

    @Override
    public String beginDedicated(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        return "";
    }

    @Override
    public void commit(Connection connection) throws SQLException {
        connection.commit();
    }

    @Override
    public void rollback(Connection connection) throws SQLException {
        connection.rollback();
    }

    @Override
    public String requireWritable() {
        return ""; // taking a partition fails where nothing can be written
    }

    @Override
    public void requireSession(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeQuery("SELECT 1").close();
        }
    }

    @Override
    public boolean isReadOnly(SQLException e) {
        return e.getErrorCode() == 90097;
    }

    /** The driver takes the setting and does nothing about it. */
    @Override
    public boolean isReadOnlyTransaction(Connection connection, SQLException e) {
        return false;
    }

    @Override
    public String whyReadOnly() {
        return "SELECT CASE WHEN READONLY() THEN 'the database was opened read-only (ACCESS_MODE_DATA=r), or its file is' END";
    }

    @Override
    public void endTransaction(Connection connection, int before) throws SQLException {
        if (before != Connection.TRANSACTION_READ_COMMITTED) {
            connection.setTransactionIsolation(before);
        }
    }

    /**
     * H2 undoes a rollback row by row, and a row for a second time if the database was being written just
     * then (seen in 2.3 and 2.5, with a file and WRITE_DELAY=0): if another session has locked it meanwhile, that
     * lock is gone, and a third session gets it too. A commit only lets go of locks that are still its own.
     */
    @Override
    public boolean endsHoldsByCommit() {
        return true;
    }

    /**
     * Jumps from partition to partition in the index. Asks for the next partition by "at least one more", because H2
     * starts "more than" at the first entry that is equal and would walk through the whole partition.
     */
    @Override
    public String discovery(Collection<String> topics) {
        return Dialect.withTopics(sql(DISCOVERY), topics, "), (");
    }

    /** There is no floor, so there are no hints. */
    @Override
    public String discoveryBehind(Collection<String> topics, Map<Partition, Long> settled) {
        return discovery(topics);
    }

    /** Asks for the next one by "at least", for the reason that {@link #discovery} has. */
    @Override
    public List<Backlog> backlog(Connection connection) throws SQLException {
        List<BacklogQuery.Partition> partitions = new ArrayList<>();
        try (PreparedStatement inTopic = connection.prepareStatement(sql(NEXT_IN_TOPIC));
                PreparedStatement behind = connection.prepareStatement(sql(NEXT_TOPIC))) {
            behind.setString(1, LEAST);
            BacklogQuery.Partition next = first(behind);
            while (next != null) {
                partitions.add(next);
                inTopic.setString(1, next.topic());
                inTopic.setLong(2, next.number() + 1L);
                behind.setString(1, next.topic() + LEAST);
                next = first(inTopic);
                if (next == null) {
                    next = first(behind);
                }
            }
        }
        return BacklogQuery.of(connection, partitions, this, "", "m.topic, m.partition_no, m.id");
    }

    @Override
    public List<ListingQuery.Row> pending(
            Connection connection, String topic, Place after, int last, int limit, long whole) throws SQLException {
        return ListingQuery.of(connection, this, "", "m.topic, m.partition_no, m.id", topic, after, last, limit, whole);
    }

    @Override
    public @Nullable String holders() {
        return null;
    }

    private static BacklogQuery.@Nullable Partition first(PreparedStatement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            return rows.next() ? new BacklogQuery.Partition(rows.getString(1), rows.getInt(2)) : null;
        }
    }

    @Override
    public String endOfRead() {
        return "";
    }

    @Override
    public void addPartitions(Connection connection, List<Partition> missing) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement(sql("INSERT INTO outbox_partition (topic, partition_no) VALUES (?, ?)"))) {
            for (Partition candidate : missing) {
                statement.setString(1, candidate.topic());
                statement.setInt(2, candidate.number());
                try {
                    statement.executeUpdate();
                } catch (SQLException e) {
                    if (e.getErrorCode() != 23505 && e.getErrorCode() != 50200 && e.getErrorCode() != 90131) {
                        throw e;
                    }
                    // another relay has added it or is just doing so
                }
            }
        }
    }

    @Override
    public List<Integer> take(Connection connection, String begin, int lockKey, List<HeldPartition> wanted, int most)
            throws SQLException {
        boolean one = wanted.size() == 1;
        try (PreparedStatement statement = connection.prepareStatement(sql(one ? TAKE_ONE : TAKE))) {
            if (one) {
                statement.setInt(1, wanted.get(0).partition.id());
            } else {
                Object[] ids = wanted.stream().map(held -> held.partition.id()).toArray();
                statement.setArray(1, connection.createArrayOf("integer", ids));
            }
            statement.setInt(2, most);
            return RowReader.locked(statement, wanted);
        }
    }

    /** There is no round trip to spare. */
    @Override
    public boolean takesAndReadsAtOnce(boolean own) {
        return false;
    }

    @Override
    public List<Integer> takeAndRead(
            Connection connection,
            String begin,
            int lockKey,
            List<HeldPartition> wanted,
            @Nullable DiscoveryQuery query) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int mostReadAtOnce() {
        return 50;
    }

    @Override
    public void read(Connection connection, List<HeldPartition> partitions) throws SQLException {
        boolean one = partitions.size() == 1;
        String read =
                one ? READ_ONE : READ_AMONG_OTHERS + (" UNION ALL " + READ_AMONG_OTHERS).repeat(partitions.size() - 1);
        RowReader.read(connection, sql(read), partitions, this);
    }

    /** Null, because deleted rows leave no entries in H2's indexes. */
    @Override
    public @Nullable OpenTransactions writers(Connection connection, int lockKey, boolean strictOrder) {
        return null;
    }

    /** Nobody asks for writers. */
    @Override
    public void becomeWriter(Connection connection) {}

    @Override
    public String byIds() {
        return "";
    }

    @Override
    public long head(Connection connection, Partition partition, long after) throws SQLException {
        return RowReader.head(connection, sql(HEAD), partition, after);
    }

    @Override
    public int delete(Connection connection, long[] rowIds) throws SQLException {
        int deleted = 0;
        try (PreparedStatement statement =
                connection.prepareStatement(sql("DELETE FROM outbox_message WHERE id = ANY (?)"))) {
            for (int i = 0; i < rowIds.length; i += LONGEST_DELETE_LIST) {
                long[] part = Arrays.copyOfRange(rowIds, i, Math.min(rowIds.length, i + LONGEST_DELETE_LIST));
                statement.setArray(1, connection.createArrayOf("bigint", Dialect.boxed(part)));
                deleted += statement.executeUpdate();
            }
        }
        return deleted;
    }

    /** There is no round trip to spare. */
    @Override
    public boolean deletesAndCommitsAtOnce() {
        return false;
    }

    @Override
    public int deleteAndCommit(Connection connection, long[] rowIds) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String limit(String count) {
        return "FETCH FIRST " + count + " ROWS ONLY";
    }

    @Override
    public String now() {
        return NOW;
    }

    @Override
    public String nowPlusMillis() {
        return "DATEADD(MILLISECOND, CAST(? AS bigint), " + NOW + ")";
    }

    @Override
    public String millisSince(String time) {
        return "DATEDIFF(MILLISECOND, " + time + ", " + NOW + ")";
    }

    @Override
    public String time(String column) {
        return column;
    }

    @Override
    public Instant instant(ResultSet rows, int column) throws SQLException {
        return rows.getObject(column, OffsetDateTime.class).toInstant();
    }

    @Override
    public boolean isMissingTable(SQLException e) {
        return e.getErrorCode() == 42102
                || e.getErrorCode() == 90079
                || e.getErrorCode() == 42103
                || e.getErrorCode() == 42104
                || e.getErrorCode() == 42122;
    }

    @Override
    public @Nullable String mostBytes() {
        return null;
    }

    @Override
    public String grantee() {
        return "SELECT '\"' || CURRENT_USER || '\"'";
    }

    @Override
    public boolean isMissingRight(SQLException e) {
        return e.getErrorCode() == 90096;
    }

    @Override
    public @Nullable String tooLarge(SQLException e) {
        return null; // it takes whatever a message may be
    }

    @Override
    public @Nullable String setupAdvice(SQLException e) {
        return switch (e.getErrorCode()) {
            case 28000 -> "The database refused the login: check user and password.";
            case 90020 -> "The file is open in another process: add ;AUTO_SERVER=TRUE to the URL in every process.";
            case 90146, 90013 -> "Create the database, or correct its name in the URL.";
            case 90011 -> "Give an absolute path, or one that starts with ./ or ~/";
            case 90046, 90113 -> "Correct the URL.";
            case 90097 -> Advice.READ_ONLY;
            case 90096 -> "Give the user rights to the tables of the outbox.";
            default -> null;
        };
    }
}
