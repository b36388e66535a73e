package dev.outbox.store.jooq.internal.dialect;

import com.zaxxer.hikari.HikariConfig;
import dev.outbox.Operations.Backlog;
import dev.outbox.StoreOption;
import dev.outbox.StoreOptions;
import dev.outbox.store.jooq.internal.partition.DiscoveryQuery;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.OpenTransactions;
import dev.outbox.store.jooq.internal.partition.Partition;
import dev.outbox.store.support.Place;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/**
 * PostgreSQL. Partitions are taken by advisory locks, because a row lock assigns a transaction id, and an open batch
 * would then keep VACUUM from cleaning any table of the database for as long as publishing takes.
 */
public record PostgresDialect(TableNames names) implements Dialect {
    /** The last arm: the server's clock was set back, and nothing is to wait until it is there again. */
    private static final String READY =
            "(p.retry_at IS NULL OR p.retry_at <= clock_timestamp() OR p.failed_at > clock_timestamp())";

    /**
     * Statements are planned once per connection, and that may be while the tables are empty, when scanning or sorting
     * a whole table looks cheap. Those plans are run against any backlog later, so they are ruled out. What is left is
     * one good plan whatever the parameters are; planning each time costs more than the read.
     */
    private static final Map<String, String> PLANNING = new TreeMap<>(Map.of(
            "enable_seqscan", "off",
            "enable_bitmapscan", "off",
            "enable_sort", "off",
            "jit", "off",
            "plan_cache_mode", "force_generic_plan"));

    private static final String READ_ONLY_STATE = "25006";

    private static final long YEAR_2000 = Instant.parse("2000-01-01T00:00:00Z").getEpochSecond();

    private static final String BEGIN = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SELECT "
            + PLANNING.entrySet().stream()
                    .map(setting -> "set_config('" + setting.getKey() + "', '" + setting.getValue() + "', true)")
                    .collect(Collectors.joining(", "))
            + ", ";

    /**
     * A batch is an idle transaction for as long as its publishers take. A limit on that would end it again and again,
     * and its messages would be published again and again; it holds neither a snapshot nor a transaction id, which is
     * what such a limit is to prevent. A limit on statements, which are all short, would be met by the last of a batch
     * as by any other, and then all of it would come again. One of these came with PostgreSQL 17.
     *
     * <p>But a session that says nothing at all, though {@code SignsOfLife} are given, has been left, and is ended; so
     * is one whose machine does not answer to its network's questions.
     */
    private static String limits(boolean local) {
        Map<String, String> limits = new TreeMap<>(Map.of(
                "transaction_timeout", "0",
                "statement_timeout", "0",
                "lock_timeout", "0",
                "idle_in_transaction_session_timeout", "" + LastAnswer.silence.toMillis(),
                "tcp_keepalives_idle", "20",
                "tcp_keepalives_interval", "10",
                "tcp_keepalives_count", "4",
                "tcp_user_timeout", "60000"));
        return limits.entrySet().stream()
                .map(limit -> "CASE WHEN current_setting('" + limit.getKey() + "', true) IS NOT NULL THEN set_config('"
                        + limit.getKey() + "', '" + limit.getValue() + "', " + local + ") END")
                .collect(Collectors.joining(", "));
    }

    /**
     * OFFSET 0 is a fence: without it the server may lock partitions that are not returned. With it, the server tries
     * one after the other, until it has as many as it is to return.
     */
    private static final String TAKE = take("= ANY (?)");

    /** Without an array, which takes the driver longer to send. */
    private static final String TAKE_ONE = take("= ?");

    private static String take(String ids) {
        return """
                SELECT c.id FROM (SELECT p.id FROM outbox_partition p WHERE p.id %s AND %s OFFSET 0) c
                WHERE pg_try_advisory_xact_lock(?, c.id)
                LIMIT ?""".formatted(ids, READY);
    }

    /**
     * A query keeps its snapshot until the next statement, and while it is kept VACUUM cleans up nothing that is newer.
     * Any utility statement makes the server let go of it. This one has no effect where something can be written. On a
     * standby, or in a transaction that is read-only, it fails, because it comes after a query: taking and reading
     * work there, deleting does not, and what is published there would be published again and again.
     */
    private static final String END_OF_READ = "; SET TRANSACTION READ WRITE";

    /** A query, so that what follows cannot make a transaction writable that was not to be. */
    private static final String REQUIRE_WRITABLE = "SELECT" + END_OF_READ;

    private static final String COLUMNS = columns("");

    /** The server knows the size of a payload without reading it. */
    private static String columns(String andIf) {
        return """
                m.id, m.original_id, m.message_id, m.message_key, m.headers,
                CASE WHEN %soctet_length(m.payload) <= ? THEN m.payload END, m.attempts, %s,
                octet_length(m.payload)""".formatted(andIf, sent("m.created_at"));
    }

    /**
     * Readiness is asked again: another batch may have failed between the snapshot of the take and its lock. The bounds
     * are rows, which the index on exactly these columns alone can serve in order; with "topic = … ORDER BY id" the
     * primary key can too, and it would be walked through the backlog of all other partitions. The row after a
     * share is only looked for, and its payload is not read.
     */
    private static final String READ = """
            SELECT w.n, p.failing_id, %s
            FROM unnest(?::int4[], ?::varchar[], ?::int4[], ?::int8[], ?::int8[], ?::int4[])
                WITH ORDINALITY AS w (id, topic, partition_no, after, last, share, n)
            JOIN outbox_partition p
                ON p.id = w.id AND p.topic = w.topic AND p.partition_no = w.partition_no AND %s
            CROSS JOIN LATERAL (SELECT *, row_number() OVER () AS n FROM (
                SELECT * FROM outbox_message m WHERE %s
                LIMIT w.share::int8 + 1) m) m""".formatted(
                            columns("m.n <= w.share AND "),
                            READY,
                            bounds("p.topic, p.partition_no, w.after", "p.topic, p.partition_no, w.last"))
            + END_OF_READ;

    /**
     * The same for a single partition in which nothing fails, which is read often enough to spare the server the join
     * and, with every row, the columns that say the same. If it finds nothing, {@link #READ} has to say whether there
     * is anything.
     */
    public static final String READ_ONE = """
            SELECT %s
            FROM outbox_message m
            WHERE EXISTS (SELECT FROM outbox_partition p WHERE p.id = ?
                AND p.topic = ? AND p.partition_no = ? AND p.failing_id IS NULL AND %s)
                AND %s
            LIMIT ?""".formatted(COLUMNS, READY, bounds("?, ?, ?", "?, ?, ?")) + END_OF_READ;

    private static final String HEAD = """
            SELECT m.id FROM outbox_message m WHERE %s
            LIMIT 1""".formatted(bounds("?, ?, ?", "?, ?, " + Long.MAX_VALUE));

    private static final String TAKE_AND_READ = TAKE + "; " + READ;
    private static final String TAKE_AND_READ_ONE = TAKE_ONE + "; " + READ_ONE;

    /** The driver sends both, and the server does not come to the second if the first fails. */
    private static final String DELETE_AND_COMMIT = "DELETE FROM outbox_message WHERE id = ANY (?); COMMIT";

    /** One probe for each partition, and as many index entries of it as are counted. */
    public static final String BACKLOG = """
            WITH RECURSIVE head (topic, partition_no, created_at) AS (
                (SELECT m.topic, m.partition_no, m.created_at FROM outbox_message m
                ORDER BY m.topic, m.partition_no, m.id LIMIT 1)
                UNION ALL
                SELECT n.topic, n.partition_no, n.created_at FROM head h CROSS JOIN LATERAL (
                    SELECT m.topic, m.partition_no, m.created_at FROM outbox_message m
                    WHERE (m.topic, m.partition_no, m.id) > (h.topic, h.partition_no, %1$d)
                    ORDER BY m.topic, m.partition_no, m.id LIMIT 1) n)
            SELECT h.topic, h.partition_no,
                (SELECT count(*) FROM (SELECT FROM outbox_message m WHERE %2$s LIMIT %3$d) c),
                CAST(extract(epoch FROM clock_timestamp() - h.created_at) * 1000 AS bigint)
            FROM head h ORDER BY h.topic, h.partition_no""".formatted(
                    Long.MAX_VALUE,
                    bounds("h.topic, h.partition_no, 0", "h.topic, h.partition_no, " + Long.MAX_VALUE),
                    Backlog.EXACT_UP_TO);

    /** The end of a range is no row: with a row for a bound, the scan would go on after it to the end of the index. */
    private static final String HEADS_OF_RANGES = """
            ) AS r (topic, from_no, from_id, to_no) %s) UNION ALL
            SELECT m.topic, m.partition_no, h.to_no FROM head h %s)
            SELECT h.topic, h.partition_no, p.id FROM head h
            LEFT JOIN LATERAL (SELECT * FROM outbox_partition p
                WHERE p.topic = h.topic AND p.partition_no = h.partition_no LIMIT 1) p ON true
            WHERE p.id IS NULL OR %s
            UNION ALL
            SELECT NULL, NULL, NULL WHERE current_setting('transaction_read_only')::boolean""".formatted(
                    head("""
                            r.topic COLLATE "C" AND (m.partition_no, m.id) > (r.from_no, r.from_id)
                            AND m.partition_no < r.to_no"""), head("h.topic AND m.partition_no > h.partition_no AND m.partition_no < h.to_no"), READY);

    private static String head(String ofTopic) {
        return """
                CROSS JOIN LATERAL (SELECT m.topic, m.partition_no FROM outbox_message m WHERE m.topic = %s
                ORDER BY m.topic, m.partition_no, m.id LIMIT 1) m""".formatted(ofTopic);
    }

    private static final String WHEN_STARTED = "SELECT pg_postmaster_start_time()::text, ";

    /** What is drawn next is higher: ids are not kept in reserve by connections, or {@code StrictOrder} refuses. */
    private static final String LAST_DRAWN =
            "coalesce(pg_sequence_last_value(pg_get_serial_sequence('outbox_message', 'id')::regclass), 0)";

    /** No partition has this id. Batches that share a lock of it insert messages, before which they take it. */
    private static final int WRITES = -1;

    /**
     * Batches delete, and lock the table for it, but do not insert, unless an operator moves messages. Their advisory
     * locks identify them.
     */
    private static String writing(int lockKey) {
        return """
                ; SELECT l.virtualtransaction FROM pg_locks l
                WHERE l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                    AND l.pid IS DISTINCT FROM pg_backend_pid()
                    AND (l.locktype = 'relation' AND l.relation = 'outbox_message'::regclass AND l.mode IN
                        ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                        OR l.locktype = 'advisory' AND l.classid = %d AND l.objsubid = 2)
                GROUP BY l.virtualtransaction HAVING bool_and(l.locktype = 'relation')
                    OR bool_or(l.locktype = 'advisory' AND l.objid = %s)""".formatted(lockKey, Integer.toUnsignedString(WRITES));
    }

    private static String bounds(String after, String last) {
        String row = "(m.topic, m.partition_no, m.id)";
        return row + " > (" + after + ") AND " + row + " <= (" + last + ") ORDER BY m.topic, m.partition_no, m.id";
    }

    PostgresDialect() {
        this(TableNames.DEFAULT);
    }

    @Override
    public PostgresDialect on(Connection connection) {
        return this; // statements ask for what a server may not have
    }

    @Override
    public PostgresDialect named(TableNames others) {
        return new PostgresDialect(others);
    }

    @Override
    public String sql(String withDefaultNames) {
        return names.in(withDefaultNames);
    }

    @Override
    public String product() {
        return "PostgreSQL";
    }

    @Override
    public int[] leastVersion() {
        return new int[] {14, 0};
    }

    @Override
    public Set<StoreOption<Boolean>> options() {
        return Set.of(SqlOption.STRICT_ORDER, StoreOptions.WAKE_UP);
    }

    @Override
    public int[] version(DatabaseMetaData server) throws SQLException {
        return ServerVersion.asJdbcHasIt(server);
    }

    @Override
    public @Nullable String trap(String url) {
        return null;
    }

    @Override
    public boolean schemasAreCatalogs() {
        return false;
    }

    @Override
    public String grantOfSchema(String user) {
        return names.schema() == null ? "" : "GRANT USAGE ON SCHEMA " + names.schema() + " TO " + user + ";\n";
    }

    @Override
    public String urlPrefix() {
        return "jdbc:postgresql:";
    }

    @Override
    public String driverClass() {
        return "org.postgresql.Driver";
    }

    @Override
    public String driverArtifact() {
        return "org.postgresql:postgresql";
    }

    @Override
    public String ddlResource() {
        return "ddl/postgres.sql";
    }

    @Override
    public boolean createsSchemaByDefault() {
        return false;
    }

    @Override
    public @Nullable String parameter(String name, String url) {
        return UrlQuery.parameter(name, url);
    }

    @Override
    public String without(String name, String url) {
        return UrlQuery.without(name, url);
    }

    @Override
    public String prepare(Properties driverSettings, String url) {
        driverSettings.setProperty("ApplicationName", "outbox");
        driverSettings.setProperty("tcpKeepAlive", "true");
        // No statement of ours takes as long: after such a silence the server is gone.
        driverSettings.setProperty("socketTimeout", "" + LastAnswer.silence.toSeconds());
        return url;
    }

    @Override
    public void prepare(HikariConfig pool) {
        pool.setConnectionInitSql(PLANNING.entrySet().stream()
                        .map(s -> "SET " + s.getKey() + " = " + s.getValue() + "; ")
                        .collect(Collectors.joining())
                + "SELECT " + limits(false));
    }

    @Override
    public List<IndexInfo> indexes(Connection connection, String table) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql("""
                        SELECT c.relname, i.indisunique,
                            i.indisvalid AND i.indisready AND i.indislive AND i.indpred IS NULL
                                AND m.amname = 'btree' AND 0 = ALL (i.indoption::int2[])
                                AND NOT EXISTS (
                                    SELECT FROM unnest(i.indcollation::oid[], i.indkey::int2[]) AS k (used, no)
                                    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.no
                                    WHERE k.used <> 0 AND k.used <> a.attcollation),
                            (SELECT string_agg(coalesce(a.attname, '?'), ',' ORDER BY k.n)
                            FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (no, n)
                            LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.no)
                        FROM pg_index i
                        JOIN pg_class c ON c.oid = i.indexrelid
                        JOIN pg_am m ON m.oid = c.relam
                        WHERE i.indrelid = '%s'::regclass""".formatted(table)))) {
            List<IndexInfo> indexes = new ArrayList<>();
            while (rows.next()) {
                List<String> columns = List.of(rows.getString(4).split(","));
                indexes.add(new IndexInfo(rows.getString(1), columns, rows.getBoolean(2), rows.getBoolean(3)));
            }
            return indexes;
        }
    }

    @Override
    public boolean namesIndexes() {
        return false;
    }

    @Override
    public String dropIndex(String index, String table) {
        return "DROP INDEX " + names.qualified(index);
    }

    /** "C" alone: with any other collation the index has another order than statements ask for, and is not used. */
    @Override
    public @Nullable String inexactTopic(Connection connection, String table) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql("""
                        SELECT c.collname FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation
                        WHERE a.attname = 'topic' AND c.oid <> 'pg_catalog."C"'::regcollation
                            AND a.attrelid = '%s'::regclass""".formatted(table)))) {
            return rows.next()
                    ? "the column topic of " + table + " has the collation " + rows.getString(1)
                            + ", and needs the collation C, by which topics are told apart and found in the index. Run"
                            + " this:\n\nALTER TABLE " + table + " ALTER COLUMN topic TYPE varchar(200) COLLATE \"C\";"
                    : null;
        }
    }

    @Override
    public @Nullable String weakDurability(Connection connection) throws SQLException {
        return SingleValue.text(connection, "SHOW fsync").equals("off")
                ? "fsync is off, so a crash of its machine may undo what relays have published: set it to on."
                : null;
    }

    @Override
    public String limitLocks(Statement statement) throws SQLException {
        statement.execute("SET LOCAL lock_timeout = '1s'");
        return "";
    }

    @Override
    public boolean isLockTimeout(SQLException e) {
        return "55P03".equals(e.getSQLState()) || "40P01".equals(e.getSQLState());
    }

    @Override
    public String lockHolders(String table) {
        return """
                SELECT format('process %%s (%%s), %%s since %%s', a.pid,
                    coalesce(nullif(a.application_name, ''), 'without a name'),
                    coalesce(a.state, 'in a transaction'),
                    coalesce(a.xact_start::timestamptz(0)::text, 'a time that it hides'))
                FROM pg_stat_activity a
                WHERE a.pid <> pg_backend_pid()
                    AND a.pid IN (SELECT l.pid FROM pg_locks l WHERE l.granted AND l.relation = '%1$s'::regclass)
                UNION ALL
                SELECT 'prepared transaction ' || p.gid
                FROM pg_prepared_xacts p JOIN pg_locks l ON l.virtualtransaction = '-1/' || p.transaction
                WHERE l.relation = '%1$s'::regclass""".formatted(table);
    }

    private static boolean asksForBinaryUnseen(Connection connection) throws SQLException {
        try {
            return connection.isWrapperFor(PGConnection.class)
                    && connection.unwrap(PGConnection.class).getPrepareThreshold() < 0;
        } catch (NoClassDefFoundError e) {
            return false; // another driver, of which nothing is known
        }
    }

    @Override
    public @Nullable String unfit(Connection connection, boolean oneNode) throws SQLException {
        if (asksForBinaryUnseen(connection)) {
            return "the driver is told by prepareThreshold=-1 to ask for binary columns before it knows how many there are, and the"
                    + " server refuses that for several statements at a time. Leave it out of the URL, or give it another number";
        }
        try (Statement statement = connection.createStatement()) {
            try (ResultSet row = statement.executeQuery(sql("""
                    SELECT string_agg(t, ', '), quote_ident(current_user)
                    FROM unnest(ARRAY['outbox_message', 'outbox_partition', 'outbox_dead_letter', 'outbox_schema']) t
                    WHERE row_security_active(t)"""))) {
                row.next();
                if (row.getString(1) != null) {
                    return "row security hides rows of " + row.getString(1) + " from the user " + row.getString(2)
                            + ". Messages that it does not see are never published, and missing from the backlog. Let it see"
                            + " all: ALTER ROLE " + row.getString(2) + " BYPASSRLS, or ALTER TABLE … DISABLE ROW LEVEL"
                            + " SECURITY on the tables of the outbox";
                }
            }
            try (ResultSet row = statement.executeQuery(sql("""
                    SELECT q.seqrelid::regclass, q.seqcache, q.seqcycle FROM pg_sequence q
                    WHERE q.seqrelid = pg_get_serial_sequence('outbox_message', 'id')::regclass"""))) {
                if (row.next() && (row.getLong(2) != 1 || row.getBoolean(3))) {
                    return row.getBoolean(3)
                            ? "the sequence " + row.getString(1)
                                    + " begins again at its end, so that ids would come again and"
                                    + " new messages before older ones. Run this: ALTER SEQUENCE " + row.getString(1)
                                    + " NO CYCLE"
                            : "each connection keeps " + row.getLong(2) + " ids of the sequence " + row.getString(1)
                                    + " in reserve, so that what is written later may have a lower id and come before what was"
                                    + " written earlier. Run this: ALTER SEQUENCE " + row.getString(1) + " CACHE 1";
                }
            }
        }
        return null;
    }

    @Override
    public String whereabouts() {
        return sql("""
                SELECT n.nspname,
                    (SELECT string_agg(o.nspname, ', ' ORDER BY o.nspname)
                    FROM pg_class t JOIN pg_namespace o ON o.oid = t.relnamespace
                    WHERE t.relname = c.relname AND t.relkind IN ('r', 'p') AND t.oid <> c.oid)
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.oid = 'outbox_message'::regclass""");
    }

    @Override
    public String raiseIds() {
        return "SELECT setval(pg_get_serial_sequence('outbox_message', 'id'), (SELECT max(id) FROM outbox_message));";
    }

    /** The ids of partitions are positive, so these locks are nobody's. */
    @Override
    public boolean takeRehearsed(Connection connection, int lockKey, long rowId) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_try_advisory_xact_lock(" + lockKey + ", "
                        + -(1 + rowId % Integer.MAX_VALUE) + ")")) {
            row.next();
            return row.getBoolean(1);
        }
    }

    @Override
    public Object schemaMonitor() {
        return new Object(); // the server keeps them apart
    }

    @Override
    public void lockSchema(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(
                    sql("SELECT pg_advisory_xact_lock(hashtext('outbox_schema'), hashtext(current_schema()))"));
        }
    }

    @Override
    public int beginTransaction(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute(BEGIN + limits(true));
        }
        return 0;
    }

    @Override
    public String beginDedicated(Connection connection) throws SQLException {
        connection.setAutoCommit(false); // which the driver keeps to itself until the next statement
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
        return REQUIRE_WRITABLE;
    }

    /**
     * A statement that needs no snapshot, see {@link #END_OF_READ}; and if nothing can be written, nothing can be
     * settled.
     */
    @Override
    public void requireSession(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET TRANSACTION READ WRITE");
        }
    }

    /** Also "must be set before any query" and "during recovery", which is what {@link #END_OF_READ} says. */
    @Override
    public boolean isReadOnly(SQLException e) {
        return Set.of(READ_ONLY_STATE, "25001", "0A000").contains(String.valueOf(e.getSQLState()));
    }

    /**
     * After its failure the transaction answers no question. But the server tells the driver unasked whether it is a
     * standby, and whether its transactions are read-only by default.
     */
    @Override
    public boolean isReadOnlyTransaction(Connection connection, SQLException e) {
        try {
            return READ_ONLY_STATE.equals(e.getSQLState())
                    && (connection.isReadOnly()
                            || isOff("in_hot_standby", connection)
                                    && isOff("default_transaction_read_only", connection));
        } catch (SQLException | NoClassDefFoundError again) {
            return false; // another driver, of which nothing is known
        }
    }

    private static boolean isOff(String setting, Connection connection) throws SQLException {
        return connection.isWrapperFor(PGConnection.class)
                && "off".equals(connection.unwrap(PGConnection.class).getParameterStatus(setting));
    }

    @Override
    public String whyReadOnly() {
        return """
                SELECT CASE
                    WHEN pg_is_in_recovery() THEN 'the server is a standby'
                    WHEN current_setting('default_transaction_read_only')::boolean
                    THEN 'default_transaction_read_only is on, for the server, the database, the user or the connection'
                END""";
    }

    @Override
    public void endTransaction(Connection connection, int before) {
        // all settings ended with the transaction
    }

    @Override
    public boolean endsHoldsByCommit() {
        return false;
    }

    @Override
    public String discovery(Collection<String> topics) {
        return discoveryBehind(topics, Map.of());
    }

    /**
     * Jumps from partition to partition in the index, one probe each. What is settled divides a topic into ranges of
     * the index that have none of it, and each is searched for itself.
     */
    @Override
    public String discoveryBehind(Collection<String> topics, Map<Partition, Long> settled) {
        List<String> ranges = new ArrayList<>();
        for (String topic : topics) {
            String name = "('" + topic.replace("'", "''") + "'::varchar, ";
            String from = "-1, 0::bigint, ";
            for (Partition partition : settled.keySet().stream()
                    .filter(candidate -> candidate.topic().equals(topic))
                    .sorted(Comparator.comparingInt(Partition::number))
                    .toList()) {
                ranges.add(name + from + partition.number() + "::bigint)");
                from = partition.number() + ", " + settled.get(partition) + "::bigint, ";
            }
            ranges.add(name + from + Long.MAX_VALUE + ")");
        }
        // A topic may have the name of a table, and is not to be renamed with it.
        return sql("""
                WITH RECURSIVE head (topic, partition_no, to_no) AS (
                    (SELECT m.topic, m.partition_no, r.to_no FROM (VALUES
                """) + String.join(", ", ranges) + sql(HEADS_OF_RANGES);
    }

    @Override
    public List<Backlog> backlog(Connection connection) throws SQLException {
        List<Backlog> backlog = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql(BACKLOG))) {
            while (rows.next()) {
                BacklogQuery.add(backlog, rows.getString(1), rows.getInt(2), rows.getLong(3), rows.getLong(4));
            }
        }
        return backlog;
    }

    @Override
    public List<ListingQuery.Row> pending(
            Connection connection, String topic, Place after, int last, int limit, long whole) throws SQLException {
        List<ListingQuery.Row> found = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(listing())) {
            statement.setLong(1, whole);
            statement.setString(2, topic);
            statement.setInt(3, after.partition());
            statement.setLong(4, after.major());
            statement.setString(5, topic);
            statement.setInt(6, last);
            statement.setInt(7, limit);
            ListingQuery.add(statement, this, whole, found);
        }
        return found;
    }

    /** The bounds are rows, for the reason that {@link #READ} has. */
    String listing() {
        return sql("SELECT " + ListingQuery.columns(this) + " FROM outbox_message m WHERE "
                + bounds("?, ?, ?", "?, ?, " + Long.MAX_VALUE) + " LIMIT ?");
    }

    /** Without the word, all writers would wait. */
    @Override
    public String createIndex() {
        return "CREATE INDEX CONCURRENTLY";
    }

    @Override
    public String holders() {
        return """
                SELECT p.topic, p.partition_no,
                    concat_ws(' ', 'process ' || l.pid, 'at ' || host(a.client_addr), nullif(a.application_name, '')),
                    %s
                FROM pg_locks l
                JOIN outbox_schema s ON l.classid = s.lock_key
                JOIN outbox_partition p ON p.id = l.objid
                LEFT JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
                    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                ORDER BY p.topic, p.partition_no""".formatted(time("a.xact_start"));
    }

    @Override
    public String endOfRead() {
        return END_OF_READ;
    }

    @Override
    public void addPartitions(Connection connection, List<Partition> missing) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql("""
                INSERT INTO outbox_partition (topic, partition_no)
                SELECT * FROM unnest(?::varchar[], ?::int4[])
                ON CONFLICT DO NOTHING"""))) {
            // always in the same order, so that two relays cannot wait for each other
            List<Partition> sorted = missing.stream()
                    .sorted((a, b) -> a.topic().equals(b.topic())
                            ? Integer.compare(a.number(), b.number())
                            : a.topic().compareTo(b.topic()))
                    .toList();
            statement.setArray(
                    1,
                    connection.createArrayOf(
                            "varchar", sorted.stream().map(Partition::topic).toArray()));
            statement.setArray(
                    2,
                    connection.createArrayOf(
                            "int4", sorted.stream().map(Partition::number).toArray()));
            statement.executeUpdate();
        }
    }

    @Override
    public List<Integer> take(Connection connection, String begin, int lockKey, List<HeldPartition> wanted, int most)
            throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement(sql((wanted.size() == 1 ? TAKE_ONE : TAKE) + END_OF_READ))) {
            setTake(connection, statement, lockKey, wanted, most);
            return RowReader.taken(statement);
        }
    }

    private static void setTake(
            Connection connection, PreparedStatement statement, int lockKey, List<HeldPartition> wanted, int most)
            throws SQLException {
        if (wanted.size() == 1) {
            statement.setInt(1, wanted.get(0).partition.id());
        } else {
            Integer[] ids = wanted.stream().map(held -> held.partition.id()).toArray(Integer[]::new);
            statement.setArray(1, connection.createArrayOf("int4", ids));
        }
        statement.setInt(2, lockKey);
        statement.setInt(3, most);
    }

    /** The driver sends statements of one text one by one, each with its own snapshot, and waits at the end. */
    @Override
    public boolean takesAndReadsAtOnce(boolean own) {
        return true;
    }

    @Override
    public List<Integer> takeAndRead(
            Connection connection,
            String begin,
            int lockKey,
            List<HeldPartition> wanted,
            @Nullable DiscoveryQuery query)
            throws SQLException {
        boolean one = wanted.size() == 1;
        String sql = sql(one ? TAKE_AND_READ_ONE : TAKE_AND_READ);
        try (PreparedStatement statement =
                connection.prepareStatement(query == null ? sql : sql + "; " + query.sql + END_OF_READ)) {
            setTake(connection, statement, lockKey, wanted, wanted.size());
            if (one) {
                setReadOne(statement, 4, wanted.get(0));
            } else {
                setRead(connection, statement, 4, wanted);
            }
            List<Integer> taken = RowReader.taken(statement);
            boolean any = true;
            try (ResultSet rows = RowReader.readWithTake(statement)) {
                if (one) {
                    any = readOne(rows, wanted.get(0));
                } else {
                    RowReader.readWithFailing(rows, wanted, this);
                }
            }
            if (query != null) {
                RowReader.answer(query, statement);
            }
            if (!any && !taken.isEmpty()) {
                readAny(connection, wanted);
            }
            return taken;
        }
    }

    @Override
    public int mostReadAtOnce() {
        return 1000;
    }

    @Override
    public void read(Connection connection, List<HeldPartition> partitions) throws SQLException {
        if (partitions.size() != 1 || !readOne(connection, partitions.get(0))) {
            readAny(connection, partitions);
        }
    }

    private boolean readOne(Connection connection, HeldPartition held) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql(READ_ONE))) {
            setReadOne(statement, 1, held);
            statement.execute();
            try (ResultSet rows = statement.getResultSet()) {
                return readOne(rows, held);
            }
        }
    }

    /** Whether there was anything, which then does not fail. */
    private boolean readOne(ResultSet rows, HeldPartition held) throws SQLException {
        held.failingId = 0;
        RowReader.read(rows, List.of(held), this);
        return !held.messages.isEmpty();
    }

    private void readAny(Connection connection, List<HeldPartition> partitions) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql(READ))) {
            setRead(connection, statement, 1, partitions);
            statement.execute();
            try (ResultSet rows = statement.getResultSet()) {
                RowReader.readWithFailing(rows, partitions, this);
            }
        }
    }

    private static void setRead(
            Connection connection, PreparedStatement statement, int first, List<HeldPartition> partitions)
            throws SQLException {
        Integer[] ids = new Integer[partitions.size()];
        String[] topics = new String[ids.length];
        Integer[] numbers = new Integer[ids.length];
        Long[] after = new Long[ids.length];
        Long[] last = new Long[ids.length];
        Integer[] shares = new Integer[ids.length];
        for (int i = 0; i < ids.length; i++) {
            HeldPartition held = partitions.get(i);
            ids[i] = held.partition.id();
            topics[i] = held.partition.topic();
            numbers[i] = held.partition.number();
            after[i] = held.after;
            last[i] = held.end;
            shares[i] = held.share;
        }
        int i = first;
        statement.setLong(i++, partitions.get(0).whole);
        statement.setArray(i++, connection.createArrayOf("int4", ids));
        statement.setArray(i++, connection.createArrayOf("varchar", topics));
        statement.setArray(i++, connection.createArrayOf("int4", numbers));
        statement.setArray(i++, connection.createArrayOf("int8", after));
        statement.setArray(i++, connection.createArrayOf("int8", last));
        statement.setArray(i, connection.createArrayOf("int4", shares));
    }

    private static void setReadOne(PreparedStatement statement, int first, HeldPartition held) throws SQLException {
        Partition partition = held.partition;
        int i = first;
        statement.setLong(i++, held.whole);
        statement.setInt(i++, partition.id());
        statement.setString(i++, partition.topic());
        statement.setInt(i++, partition.number());
        statement.setString(i++, partition.topic());
        statement.setInt(i++, partition.number());
        statement.setLong(i++, held.after);
        statement.setString(i++, partition.topic());
        statement.setInt(i++, partition.number());
        statement.setLong(i++, held.end);
        statement.setInt(i, held.share);
    }

    /**
     * A transaction that inserts has the table locked until its outcome is visible, also while it is prepared. Its
     * name in pg_locks stays the same then. Two statements, in this order: a transaction that draws an id between them
     * may be left out, since what it drew is higher than what the first found.
     */
    @Override
    public OpenTransactions writers(Connection connection, int lockKey, boolean strictOrder) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql(WHEN_STARTED + (strictOrder ? LAST_DRAWN : "0") + writing(lockKey)));
            String server;
            long drawn;
            try (ResultSet row = statement.getResultSet()) {
                row.next();
                server = row.getString(1);
                drawn = row.getLong(2);
            }
            statement.getMoreResults();
            Set<String> writing = new HashSet<>();
            try (ResultSet rows = statement.getResultSet()) {
                while (rows.next()) {
                    writing.add(rows.getString(1));
                }
            }
            return new OpenTransactions(server, drawn, Set.copyOf(writing));
        }
    }

    @Override
    public void becomeWriter(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql("SELECT pg_advisory_xact_lock_shared(lock_key, " + WRITES + ") FROM outbox_schema"));
        }
    }

    @Override
    public String byIds() {
        return "";
    }

    @Override
    public long head(Connection connection, Partition partition, long after) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql(HEAD))) {
            statement.setString(1, partition.topic());
            statement.setInt(2, partition.number());
            statement.setLong(3, after);
            statement.setString(4, partition.topic());
            statement.setInt(5, partition.number());
            return RowReader.first(statement);
        }
    }

    @Override
    public int delete(Connection connection, long[] rowIds) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement(sql("DELETE FROM outbox_message WHERE id = ANY (?)"))) {
            statement.setArray(1, connection.createArrayOf("bigint", Dialect.boxed(rowIds)));
            return statement.executeUpdate();
        }
    }

    @Override
    public boolean deletesAndCommitsAtOnce() {
        return true;
    }

    @Override
    public int deleteAndCommit(Connection connection, long[] rowIds) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql(DELETE_AND_COMMIT))) {
            statement.setArray(1, connection.createArrayOf("int8", Dialect.boxed(rowIds)));
            return statement.executeUpdate();
        }
    }

    @Override
    public String limit(String count) {
        return "LIMIT " + count;
    }

    @Override
    public String now() {
        return "clock_timestamp()";
    }

    @Override
    public String nowPlusMillis() {
        return "clock_timestamp() + ? * interval '1 millisecond'";
    }

    @Override
    public String millisSince(String time) {
        return "CAST(extract(epoch FROM clock_timestamp() - " + time + ") * 1000 AS bigint)";
    }

    /** As it goes over the wire: of any other form the driver makes several objects, for every row. */
    private static String sent(String time) {
        return "timestamptz_send(" + time + ")";
    }

    @Override
    public String time(String column) {
        return sent(column);
    }

    /**
     * Microseconds since the year 2000. "infinity", which the type has and another program may have written, is the
     * last of them.
     */
    @Override
    public Instant instant(ResultSet rows, int column) throws SQLException {
        long micros = ByteBuffer.wrap(rows.getBytes(column)).getLong();
        if (micros == Long.MAX_VALUE) {
            return Instant.MAX;
        }
        return micros == Long.MIN_VALUE
                ? Instant.MIN
                : Instant.ofEpochSecond(
                        YEAR_2000 + Math.floorDiv(micros, 1_000_000), Math.floorMod(micros, 1_000_000) * 1_000L);
    }

    @Override
    public boolean isMissingTable(SQLException e) {
        return "42P01".equals(e.getSQLState()) || "42703".equals(e.getSQLState());
    }

    @Override
    public @Nullable String mostBytes() {
        return null;
    }

    @Override
    public String grantee() {
        return "SELECT quote_ident(current_user)";
    }

    @Override
    public boolean isMissingRight(SQLException e) {
        return "42501".equals(e.getSQLState());
    }

    @Override
    public @Nullable String tooLarge(SQLException e) {
        return null; // it takes whatever a message may be
    }

    @Override
    public @Nullable String setupAdvice(SQLException e) {
        String state = e.getSQLState() == null ? "" : e.getSQLState();
        if (state.startsWith("28")) {
            return "The server refused the login: check user and password.";
        }
        if (state.equals("3D000")) {
            return "Create the database, or correct its name in the URL.";
        }
        if (state.equals(READ_ONLY_STATE)) {
            return Advice.READ_ONLY;
        }
        return state.equals("42501") ? "Give the user rights to the tables of the outbox." : null;
    }
}
