package dev.outbox.store.jooq.internal.dialect;

import com.zaxxer.hikari.HikariConfig;
import dev.outbox.Operations.Backlog;
import dev.outbox.StoreOption;
import dev.outbox.store.jooq.internal.partition.DiscoveryQuery;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.OpenTransactions;
import dev.outbox.store.jooq.internal.partition.Partition;
import dev.outbox.store.support.CauseChain;
import dev.outbox.store.support.Place;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * MySQL and MariaDB, which understand the same statements. Partitions are taken by locking their rows.
 *
 * <p>Nothing here waits for a lock for long, and nothing locks more than it names: transactions are READ COMMITTED, so
 * that there are no locks on gaps; rows are found by probes of the primary key, because a scan locks every row on its
 * way; the rows of a batch are ours by the lock of their partition. Rows of outbox_partition are added one by one, each
 * in a transaction of its own.
 *
 * <p>Ids are not used again: both keep the counter of AUTO_INCREMENT over a restart (MySQL since 8.0, MariaDB since
 * 10.2.4). A machine that vanishes without closing its connections keeps its partitions until the server notices, by
 * wait_timeout or by the TCP keepalive of its system.
 */
public record MySqlDialect(MySqlServerKind kind, TableNames names, MySqlSession session) implements Dialect {
    public static final MySqlDialect MYSQL =
            new MySqlDialect(MySqlServerKind.MYSQL, TableNames.DEFAULT, MySqlSession.UNKNOWN);
    public static final MySqlDialect MARIADB =
            new MySqlDialect(MySqlServerKind.MARIADB, TableNames.DEFAULT, MySqlSession.UNKNOWN);

    /** The time the statement began, in UTC: connections may be set to any time zone, and drivers convert by it. */
    private static final String NOW = "utc_timestamp(6)";

    /**
     * The last arm: the server's clock was set back, and nothing is to wait until it is there again; that of a
     * partition that has failed since this statement began is only a little ahead.
     */
    private static final String READY =
            "(p.retry_at IS NULL OR p.retry_at <= " + NOW + " OR p.failed_at > " + NOW + " + INTERVAL 1 MINUTE)";

    /** The error of a transaction that was begun read-only. */
    private static final int READ_ONLY_TRANSACTION = 1792;

    private static final String READ_ONLY_STATE = "25006";

    /** The errors for a table that a user may not read, and for a right that a user lacks. */
    private static final int NO_RIGHT_TO_TABLE = 1142;

    private static final int NO_RIGHT = 1227;

    /** The setting of both drivers by which statements can be sent several at a time. */
    private static final String SEVERAL = "allowMultiQueries";

    /** A list is a table of that many SELECTs; a longer one is JSON. */
    private static final int LONGEST_LIST = 100;

    /**
     * By the id alone: if the connection has another collation than the column, MariaDB 10 does not see that the topic
     * is one and the same in all rows, and sorts all that the partition has by it.
     */
    private static final String IN_ORDER = "m.id";

    private static final String ORDER_INDEX = " FORCE INDEX (outbox_message_order)";

    private static final String READ = """
            m.id, m.original_id, m.message_id, m.message_key, m.headers,
            CASE WHEN octet_length(m.payload) <= ? THEN m.payload END, m.attempts, m.created_at,
            octet_length(m.payload)
            FROM outbox_message m%s
            WHERE m.topic = ? AND m.partition_no = ? AND m.id > ?
            ORDER BY %s LIMIT ?""".formatted(ORDER_INDEX, IN_ORDER);

    private static final String READ_ONE = "SELECT " + READ;
    private static final String HEAD = """
            SELECT m.id FROM outbox_message m%s
            WHERE m.topic = ? AND m.partition_no = ? AND m.id > ?
            ORDER BY %s LIMIT 1""".formatted(ORDER_INDEX, IN_ORDER);
    private static final String READ_AMONG_OTHERS = "(SELECT ? AS n, " + READ + ")";

    private static final String TAKE = "SELECT p.id, p.topic, p.partition_no, p.failing_id FROM ";
    private static final String SKIPPING = " FOR UPDATE SKIP LOCKED";

    /**
     * No message has this id. So no row is locked, and the transaction has the right to change the table from now on.
     * If it only read first, DDL that waits for it would make its close a deadlock, of which the close is the victim.
     */
    private static final String TO_CHANGE_MESSAGES = " LEFT JOIN outbox_message z ON z.id = 0";

    /**
     * As {@link #byId}, and any number of them are one parameter. In a subquery, because such a table cannot be locked.
     */
    private static final String TAKE_MANY = TAKE + """
            (SELECT j.id FROM JSON_TABLE(?, '$[*]' COLUMNS (id int PATH '$')) j) w
            STRAIGHT_JOIN outbox_partition p FORCE INDEX (PRIMARY) ON p.id = w.id%s
            WHERE %s""".formatted(TO_CHANGE_MESSAGES, READY);

    /** What stands before the ids. As in {@link #byId}, but any number of them are one text. */
    private static final String DELETE = "DELETE m FROM JSON_TABLE('";

    private static final String DELETE_END = """
            ', '$[*]' COLUMNS (id bigint PATH '$')) w
            STRAIGHT_JOIN outbox_message m FORCE INDEX (PRIMARY) ON m.id = w.id""";

    /**
     * What stands before the ids. Faster, and with the same probes: unlike FORCE INDEX, the hint of MySQL, which
     * MariaDB has not, keeps it from reading the table from end to end.
     */
    private static final String DELETE_LISTED =
            "DELETE /*+ INDEX(m PRIMARY) */ FROM outbox_message AS m WHERE m.id IN (";

    /** Far below what makes the server give probes up, because they take too much of its memory. */
    private static final int LONGEST_DELETE_LIST = 1_000;

    /** Of ids in one statement: a quarter of a megabyte. */
    private static final int LONGEST_DELETE = 10_000;

    /**
     * Fails where the server is read-only, unless for this user it is not. Without the last words a session whose
     * transactions are read-only would find out when it deletes, which is after publishing.
     */
    private static final String BEGIN = "START TRANSACTION READ WRITE";

    /** The server does not come to it if what stands before fails. */
    private static final String AND_COMMIT = "; COMMIT";

    static final String PARTITIONS = """
            SELECT DISTINCT m.topic, m.partition_no FROM outbox_message m FORCE INDEX (outbox_message_order)
            ORDER BY m.topic, m.partition_no""";

    @Override
    public MySqlDialect named(TableNames others) {
        return new MySqlDialect(kind, others, session);
    }

    @Override
    public MySqlDialect on(Connection connection) throws SQLException {
        return new MySqlDialect(kind, names, MySqlSession.of(connection));
    }

    @Override
    public String sql(String withDefaultNames) {
        return names.in(withDefaultNames);
    }

    @Override
    public String product() {
        return kind.product();
    }

    @Override
    public int[] leastVersion() {
        return kind.leastVersion();
    }

    @Override
    public Set<StoreOption<Boolean>> options() {
        return Set.of(SqlOption.ONE_NODE);
    }

    @Override
    public int[] version(DatabaseMetaData server) throws SQLException {
        return ServerVersion.parse(server.getDatabaseProductVersion());
    }

    @Override
    public @Nullable String trap(String url) {
        return null;
    }

    @Override
    public boolean schemasAreCatalogs() {
        return true;
    }

    @Override
    public String grantOfSchema(String user) {
        return "";
    }

    @Override
    public String urlPrefix() {
        return kind.urlPrefix();
    }

    @Override
    public String driverClass() {
        return kind.driverClass();
    }

    @Override
    public String driverArtifact() {
        return kind.driverArtifact();
    }

    @Override
    public String ddlResource() {
        return kind.ddlResource();
    }

    @Override
    public boolean createsSchemaByDefault() {
        return false;
    }

    @Override
    public @Nullable String parameter(String name, String url) {
        return kind == MySqlServerKind.MARIADB
                ? UrlQuery.verbatim(name, url)
                : UrlQuery.parameter(name, withoutFragment(url));
    }

    /** MySQL's driver ignores everything after a #. */
    private String withoutFragment(String url) {
        int fragment = url.indexOf('#');
        return kind == MySqlServerKind.MARIADB || fragment < 0 ? url : url.substring(0, fragment);
    }

    @Override
    public String without(String name, String url) {
        return UrlQuery.without(name, url);
    }

    @Override
    public String prepare(Properties driverSettings, String url) {
        driverSettings.setProperty("connectTimeout", "10000");
        // No statement of ours takes as long: after such a silence the server is gone.
        driverSettings.setProperty("socketTimeout", "" + LastAnswer.silence.toMillis());
        // For take and read in one round trip. Our statements have no text of others in them, only parameters.
        driverSettings.setProperty(SEVERAL, "true");
        // What the driver finds out of a statement's text it need not find out each time.
        driverSettings.setProperty("cachePrepStmts", "true");
        driverSettings.setProperty("prepStmtCacheSqlLimit", "4096");
        // A batch is a transaction of one session, and not one that is done again in another; and texts may have any
        // characters.
        String rest = withoutFragment(url);
        for (String undone :
                List.of(SEVERAL, "transactionReplay", "autoReconnect", "connectionCollation", "characterEncoding")) {
            rest = without(undone, rest);
        }
        return rest;
    }

    @Override
    public void prepare(HikariConfig pool) {
        pool.setConnectionInitSql(session.own());
        // Sooner than the server ends a session that is silent.
        pool.setKeepaliveTime(LastAnswer.silence.toMillis() / 2);
    }

    @Override
    public List<IndexInfo> indexes(Connection connection, String table) throws SQLException {
        Map<String, IndexInfo> indexes = new LinkedHashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql("SHOW INDEX FROM " + table))) {
            boolean maria = kind == MySqlServerKind.MARIADB;
            while (rows.next()) {
                String name = rows.getString("Key_name");
                boolean usable = "A".equals(rows.getString("Collation"))
                        && rows.getString("Sub_part") == null
                        && (maria ? "NO".equals(rows.getString("Ignored")) : "YES".equals(rows.getString("Visible")));
                IndexInfo before = indexes.getOrDefault(
                        name, new IndexInfo(name, List.of(), rows.getInt("Non_unique") == 0, true));
                List<String> columns = new ArrayList<>(before.columns());
                columns.add(String.valueOf(rows.getString("Column_name")));
                indexes.put(name, new IndexInfo(name, columns, before.unique(), before.usable() && usable));
            }
        }
        return List.copyOf(indexes.values());
    }

    @Override
    public boolean namesIndexes() {
        return true;
    }

    @Override
    public String dropIndex(String index, String table) {
        return "DROP INDEX " + index + " ON " + table;
    }

    @Override
    public @Nullable String inexactTopic(Connection connection, String table) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery(sql("SHOW FULL COLUMNS FROM " + table + " WHERE Field = 'topic'"))) {
            String collation = rows.next() ? rows.getString("Collation") : null;
            return collation == null || collation.endsWith("_bin")
                    ? null
                    : "the column topic of " + table + " has the collation " + collation + ", which takes different"
                            + " topics for the same. Run this:\n\nALTER TABLE " + table + " MODIFY topic varchar(200)"
                            + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL;";
        }
    }

    /**
     * InnoDB shows a transaction to others when it is written to the log in memory, and then waits until that is on
     * disk. With the binary log it is the other way round: what is shown is on disk there.
     */
    @Override
    public @Nullable String weakDurability(Connection connection) throws SQLException {
        String settings = SingleValue.text(connection, """
                SELECT concat_ws(', ',
                    if(@@log_bin = 1, NULL, 'log_bin is off'),
                    if(@@sync_binlog = 1, NULL, concat('sync_binlog is ', @@sync_binlog)),
                    if(@@innodb_flush_log_at_trx_commit = 1, NULL,
                        concat('innodb_flush_log_at_trx_commit is ', @@innodb_flush_log_at_trx_commit)))""");
        return settings.isEmpty()
                ? null
                : settings
                        + ", so the server shows transactions to others before they are safe, and a crash of it may undo what"
                        + " relays have published: switch the binary log on, and set sync_binlog and"
                        + " innodb_flush_log_at_trx_commit to 1.";
    }

    /** The limit is on locks of tables, for which the server otherwise waits for a year. */
    @Override
    public String limitLocks(Statement statement) throws SQLException {
        try (ResultSet before = statement.executeQuery("SELECT @@lock_wait_timeout")) {
            before.next();
            String restore = "SET SESSION lock_wait_timeout = " + before.getLong(1);
            statement.execute("SET SESSION lock_wait_timeout = 1");
            return restore;
        }
    }

    @Override
    public boolean isLockTimeout(SQLException e) {
        return e.getErrorCode() == 1205 || e.getErrorCode() == 1213;
    }

    /** MariaDB says which transactions are the oldest, and not what they use. */
    @Override
    public String lockHolders(String table) {
        return kind == MySqlServerKind.MYSQL ? """
                        SELECT DISTINCT concat('connection ', t.processlist_id,
                            ' (', t.processlist_user, '@', t.processlist_host, ')')
                        FROM performance_schema.metadata_locks m
                        JOIN performance_schema.threads t ON t.thread_id = m.owner_thread_id
                        WHERE m.object_type = 'TABLE' AND m.lock_status = 'GRANTED'
                            AND concat(m.object_schema, '.', m.object_name) IN ('%1$s', concat(database(), '.%1$s'))
                            AND t.processlist_id <> connection_id()""".formatted(table) : """
                        SELECT concat('connection ', x.trx_mysql_thread_id, ', in a transaction since ', x.trx_started)
                        FROM information_schema.innodb_trx x WHERE x.trx_mysql_thread_id <> connection_id()
                        ORDER BY x.trx_started""";
    }

    /**
     * Row locks are of one server. A cluster that is written to on several finds out at the commit, after publishing.
     */
    @Override
    public @Nullable String unfit(Connection connection, boolean oneNode) throws SQLException {
        String url = String.valueOf(connection.getMetaData().getURL()); // of which nothing is shown
        if (url.contains("transactionReplay=true")) {
            return "the driver is told by transactionReplay=true to do a transaction again in another session, by when others"
                    + " may hold what this one held. Leave it out, for the relay";
        }
        for (String driver : List.of("jdbc:mysql:", "jdbc:mariadb:")) {
            if (url.startsWith(driver + "loadbalance:")) {
                return "a URL that starts " + driver
                        + "loadbalance: may lead each transaction to another server. Name one" + " server, or start it "
                        + driver + "replication: or " + driver;
            }
        }
        String charset = SingleValue.text(connection, "SELECT @@character_set_client");
        if (!charset.equals("utf8mb4")) {
            return "the connection is of the character set " + charset
                    + ", which does not have all the characters that keys,"
                    + " headers and reasons may be of, and they would be replaced by question marks. Remove connectionCollation"
                    + " and characterEncoding from its URL, for writers too";
        }
        String cluster = session.cluster();
        if (cluster != null && !oneNode) {
            return "the server is a node of a cluster that can be written to on several (" + cluster
                    + "). Locks are of one"
                    + " node alone, so relays on different nodes would publish the same messages, and ids that are drawn on"
                    + " different nodes are in no order. If all relays and all that write messages use one and the same node,"
                    + " as by a proxy with a single writer, say so by the option " + SqlOption.ONE_NODE + "=true";
        }
        try (PreparedStatement statement = connection.prepareStatement("""
                        SELECT t.table_name, t.engine FROM information_schema.tables t
                        WHERE t.table_schema = coalesce(?, database()) AND t.table_name IN (?, ?, ?, ?)
                            AND t.engine <> 'InnoDB'""")) {
            int i = 1;
            statement.setString(i++, names.schema());
            for (String table : List.of("message", "partition", "dead_letter", "schema")) {
                statement.setString(i++, names.prefix() + table);
            }
            try (ResultSet row = statement.executeQuery()) {
                if (row.next()) {
                    return "the table " + row.getString(1) + " is of the engine " + row.getString(2)
                            + ", and the outbox needs the transactions and row locks of InnoDB. Run this: ALTER TABLE "
                            + names.qualified(row.getString(1)) + " ENGINE = InnoDB";
                }
            }
        }
        return null;
    }

    /**
     * Databases of one server are told apart by everybody, and schemas are called that: others are nobody's mistake.
     */
    @Override
    public String whereabouts() {
        return "SELECT " + (names.schema() == null ? "database()" : "'" + names.schema() + "'") + ", NULL";
    }

    @Override
    public String raiseIds() {
        return "ALTER TABLE outbox_message AUTO_INCREMENT = 1; -- which is taken for the first that is free";
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
    public Object schemaMonitor() {
        return new Object(); // the server keeps them apart
    }

    @Override
    public void lockSchema(Connection connection) {
        // a statement that creates a table locks its name
    }

    /** By statements too, so that what ends sessions can be lifted and restored without a round trip more. */
    @Override
    public int beginTransaction(Connection connection) throws SQLException {
        run(connection, session.begin());
        run(connection, BEGIN);
        return 0;
    }

    /** By statements, because switching auto-commit off and on again would be two round trips more. */
    @Override
    public String beginDedicated(Connection connection) {
        return BEGIN;
    }

    @Override
    public void commit(Connection connection) throws SQLException {
        run(connection, "COMMIT");
    }

    @Override
    public void rollback(Connection connection) throws SQLException {
        run(connection, "ROLLBACK");
    }

    private static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Override
    public String requireWritable() {
        return ""; // it does not begin
    }

    @Override
    public boolean isReadOnly(SQLException e) {
        return switch (e.getErrorCode()) {
            case 1290 -> String.valueOf(e.getMessage()).contains("read");
            case READ_ONLY_TRANSACTION, 1836, 1874 -> true;
            case 0 -> String.valueOf(e.getMessage()).contains("read-only"); // MySQL's driver does not even send it
            default -> false;
        };
    }

    /** The server says so by a number of its own. MySQL's driver refuses by itself, without one. */
    @Override
    public boolean isReadOnlyTransaction(Connection connection, SQLException e) {
        if (e.getErrorCode() == READ_ONLY_TRANSACTION) {
            return true;
        }
        boolean told = READ_ONLY_STATE.equals(e.getSQLState())
                || String.valueOf(e.getMessage()).contains("Connection is read-only");
        try {
            return told && connection.isReadOnly();
        } catch (SQLException again) {
            return false;
        }
    }

    @Override
    public String whyReadOnly() {
        return """
                SELECT CASE
                    WHEN @@global.read_only <> 0 THEN 'read_only is on: the server is a replica, or is being switched'
                    WHEN @@session.%s <> 0
                    THEN 'transactions of this connection are read-only (transaction_read_only)'
                END""".formatted(kind == MySqlServerKind.MYSQL ? "transaction_read_only" : "tx_read_only");
    }

    @Override
    public void requireSession(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(MySqlSession.IS_THE_SAME)) {
            row.next();
            if (!row.getBoolean(1)) {
                throw new SQLException("The driver, or something on the way, has connected anew.", "08003");
            }
        }
    }

    @Override
    public void endTransaction(Connection connection, int before) throws SQLException {
        run(connection, session.end());
    }

    @Override
    public boolean endsHoldsByCommit() {
        return false;
    }

    /**
     * Jumps from partition to partition in the index ("Using index for group-by"), as soon as the statistics of the
     * table show a backlog, which takes the server some seconds. Until then it may walk through the index without
     * reading rows.
     */
    @Override
    public String discovery(Collection<String> topics) {
        return Dialect.withTopics(sql("""
                        SELECT d.topic, d.partition_no, p.id
                        FROM (SELECT DISTINCT m.topic, m.partition_no
                            FROM outbox_message m FORCE INDEX (outbox_message_order) WHERE m.topic IN ({topics})) d
                        LEFT JOIN outbox_partition p FORCE INDEX (outbox_partition_name)
                            ON p.topic = d.topic AND p.partition_no = d.partition_no
                        WHERE p.id IS NULL OR %s""".formatted(READY)), topics, ", ");
    }

    /** There is no floor, so there are no hints. */
    @Override
    public String discoveryBehind(Collection<String> topics, Map<Partition, Long> settled) {
        return discovery(topics);
    }

    @Override
    public List<Backlog> backlog(Connection connection) throws SQLException {
        List<BacklogQuery.Partition> partitions = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql(PARTITIONS))) {
            while (rows.next()) {
                partitions.add(new BacklogQuery.Partition(rows.getString(1), rows.getInt(2)));
            }
        }
        return BacklogQuery.of(connection, partitions, this, ORDER_INDEX, IN_ORDER);
    }

    @Override
    public List<ListingQuery.Row> pending(
            Connection connection, String topic, Place after, int last, int limit, long whole) throws SQLException {
        return ListingQuery.of(
                connection, this, ORDER_INDEX, "m.partition_no, " + IN_ORDER, topic, after, last, limit, whole);
    }

    @Override
    public @Nullable String holders() {
        if (kind == MySqlServerKind.MARIADB) {
            return null;
        }
        String schema = names.schema() == null ? "database()" : "'" + names.schema() + "'";
        return """
                SELECT DISTINCT p.topic, p.partition_no,
                    concat('connection ', h.processlist_id, ' of ', h.processlist_user, ' at ', h.processlist_host),
                    utc_timestamp(6) - INTERVAL (e.timer_wait DIV 1000000) MICROSECOND
                FROM performance_schema.data_locks d
                JOIN outbox_partition p ON p.id = CAST(d.lock_data AS SIGNED)
                JOIN performance_schema.threads h ON h.thread_id = d.thread_id
                LEFT JOIN performance_schema.events_transactions_current e
                    ON e.thread_id = d.thread_id AND e.state = 'ACTIVE'
                WHERE d.object_schema = %s AND d.object_name = concat('%s', 'partition') AND d.index_name = 'PRIMARY'
                    AND d.lock_type = 'RECORD' AND d.lock_status = 'GRANTED' AND d.lock_mode LIKE 'X%%'
                    AND d.lock_data NOT LIKE 'supremum%%'
                ORDER BY p.topic, p.partition_no""".formatted(schema, names.prefix());
    }

    /** An ordinary user may not read these tables, and a server that does not fill them would show no holder. */
    @Override
    public @Nullable String withoutHolders(Connection connection) throws SQLException {
        String query = holders();
        if (query == null) {
            return "MariaDB does not tell which rows are locked by whom";
        }
        try (Statement statement = connection.createStatement()) {
            try (ResultSet row = statement.executeQuery("SELECT @@performance_schema")) {
                if (!row.next() || row.getInt(1) == 0) {
                    return "the server runs with performance_schema=OFF, without which it does not tell which rows are"
                            + " locked by whom";
                }
            }
            statement.executeQuery(sql(query) + " LIMIT 0").close(); // the locks of a busy server are many
            return null;
        } catch (SQLException e) {
            if (e.getSQLState() == null || e.getSQLState().startsWith("08")) { // of connections
                throw e;
            }
            if (e.getErrorCode() != NO_RIGHT_TO_TABLE && e.getErrorCode() != NO_RIGHT) {
                return "the server does not tell which rows are locked by whom: " + e.getMessage();
            }
            return "this user may not see which rows are locked by whom. If you want it: GRANT SELECT ON"
                    + " performance_schema.* TO this user, and open the store again";
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
                    if (e.getErrorCode() != 1062) {
                        throw e;
                    }
                    // another relay has added it
                }
            }
        }
    }

    /**
     * The locked row is read again, so that a row that has just become delayed is not returned. The list is walked in
     * its order, and rows are locked one by one, until there are as many as are to be returned.
     */
    @Override
    public List<Integer> take(Connection connection, String begin, int lockKey, List<HeldPartition> wanted, int most)
            throws SQLException {
        boolean listed = wanted.size() <= LONGEST_LIST;
        String take = listed ? take(wanted.size()) : TAKE_MANY;
        try (PreparedStatement statement =
                connection.prepareStatement(after(begin, sql(take + " LIMIT ?" + SKIPPING)))) {
            if (listed) {
                statement.setInt(setTake(statement, wanted), most);
            } else {
                statement.setString(
                        1,
                        wanted.stream()
                                .map(held -> Integer.toString(held.partition.id()))
                                .collect(Collectors.joining(",", "[", ",0]")));
                statement.setInt(2, most);
            }
            return RowReader.locked(statement, wanted);
        }
    }

    /** Returns the number of the next parameter. */
    private static int setTake(PreparedStatement statement, List<HeldPartition> wanted) throws SQLException {
        int i = 1;
        for (HeldPartition held : wanted) {
            statement.setInt(i++, held.partition.id());
        }
        return i;
    }

    private static String after(String begin, String sql) {
        return begin.isEmpty() ? sql : begin + "; " + sql;
    }

    private static String take(int count) {
        return TAKE + byId(count) + TO_CHANGE_MESSAGES + " WHERE " + READY;
    }

    /**
     * The application's connections take one statement at a time, unless it has allowed more, which nobody tells us.
     */
    @Override
    public boolean takesAndReadsAtOnce(boolean own) {
        return own;
    }

    @Override
    public List<Integer> takeAndRead(
            Connection connection,
            String begin,
            int lockKey,
            List<HeldPartition> wanted,
            @Nullable DiscoveryQuery query)
            throws SQLException {
        String sql = after(begin, sql(take(wanted.size()) + SKIPPING + "; " + readOf(wanted.size())));
        try (PreparedStatement statement = connection.prepareStatement(query == null ? sql : sql + "; " + query.sql)) {
            RowReader.setRead(statement, setTake(statement, wanted), wanted);
            List<Integer> taken = RowReader.locked(statement, wanted);
            try (ResultSet rows = RowReader.readWithTake(statement)) {
                RowReader.read(rows, wanted, this);
            }
            if (query != null) {
                RowReader.answer(query, statement);
            }
            return taken;
        }
    }

    @Override
    public int mostReadAtOnce() {
        return 50;
    }

    @Override
    public void read(Connection connection, List<HeldPartition> partitions) throws SQLException {
        RowReader.read(connection, sql(readOf(partitions.size())), partitions, this);
    }

    private static String readOf(int partitions) {
        return partitions == 1
                ? READ_ONE
                : READ_AMONG_OTHERS + (" UNION ALL " + READ_AMONG_OTHERS).repeat(partitions - 1);
    }

    /**
     * Unknown: which transactions are open is only told to users with the privilege PROCESS, and not which tables they
     * write. So there are no hints, and a transaction that is kept open for long makes reading slow, not wrong.
     */
    @Override
    public @Nullable OpenTransactions writers(Connection connection, int lockKey, boolean strictOrder) {
        return null;
    }

    /** Nobody asks for writers. */
    @Override
    public void becomeWriter(Connection connection) {}

    @Override
    public String byIds() {
        return " FORCE INDEX (PRIMARY)";
    }

    @Override
    public long head(Connection connection, Partition partition, long after) throws SQLException {
        return RowReader.head(connection, sql(HEAD), partition, after);
    }

    /** In pieces that any server takes in one packet. */
    @Override
    public int delete(Connection connection, long[] rowIds) throws SQLException {
        int deleted = 0;
        try (Statement statement = connection.createStatement()) {
            for (int i = 0; i < rowIds.length; i += LONGEST_DELETE) {
                deleted += statement.executeUpdate(
                        delete(Arrays.copyOfRange(rowIds, i, Math.min(rowIds.length, i + LONGEST_DELETE))));
            }
        }
        return deleted;
    }

    private String delete(long[] rowIds) {
        String ids = Arrays.toString(rowIds); // which is JSON, and between its brackets a list
        return kind == MySqlServerKind.MYSQL && rowIds.length <= LONGEST_DELETE_LIST
                ? sql(DELETE_LISTED) + ids.substring(1, ids.length() - 1) + ")"
                : DELETE + ids + sql(DELETE_END);
    }

    /**
     * A table joined to a list of its ids, one probe each. With "id IN (…)" MySQL reads a small table from end to end,
     * FORCE INDEX or not, and locks all rows on its way: it would wait for those of others, and others would skip ours.
     *
     * <p>The last id is one that no partition has. The server unlocks a row that is delayed when it looks for the next,
     * and keeps the last one locked. A delayed partition would be locked for as long as the batch is open: its delay
     * could pass, or an operator end it, and nobody could take it.
     */
    private static String byId(int count) {
        return "(SELECT ? AS id" + " UNION ALL SELECT ?".repeat(count - 1)
                + " UNION ALL SELECT 0) w STRAIGHT_JOIN outbox_partition p FORCE INDEX (PRIMARY) ON p.id = w.id";
    }

    @Override
    public boolean deletesAndCommitsAtOnce() {
        return true;
    }

    @Override
    public int deleteAndCommit(Connection connection, long[] rowIds) throws SQLException {
        if (rowIds.length > LONGEST_DELETE) {
            int deleted = delete(connection, rowIds);
            commit(connection);
            return deleted;
        }
        try (Statement statement = connection.createStatement()) {
            // at execute() the driver would first ask the server whether it may
            int deleted = statement.executeUpdate(delete(rowIds) + AND_COMMIT);
            while (statement.getMoreResults() || statement.getUpdateCount() != -1) {
                // an error of a later statement is thrown when it is come to
            }
            return deleted;
        }
    }

    @Override
    public String limit(String count) {
        return "LIMIT " + count;
    }

    @Override
    public String now() {
        return NOW;
    }

    @Override
    public String nowPlusMillis() {
        return NOW + " + INTERVAL (? * 1000) MICROSECOND";
    }

    @Override
    public String millisSince(String time) {
        return "timestampdiff(MICROSECOND, " + time + ", " + NOW + ") DIV 1000";
    }

    @Override
    public String time(String column) {
        return column;
    }

    @Override
    public Instant instant(ResultSet rows, int column) throws SQLException {
        return rows.getObject(column, LocalDateTime.class).toInstant(ZoneOffset.UTC);
    }

    @Override
    public boolean isMissingTable(SQLException e) {
        return e.getErrorCode() == 1146 || e.getErrorCode() == 1054 || e.getErrorCode() == 1049;
    }

    @Override
    public String mostBytes() {
        return "SELECT @@max_allowed_packet";
    }

    @Override
    public String grantee() {
        return "SELECT concat('''', replace(current_user(), '@', '''@'''), '''')";
    }

    @Override
    public boolean isMissingRight(SQLException e) {
        return e.getErrorCode() == 1142 || e.getErrorCode() == 1143;
    }

    /**
     * The drivers refuse to send it, each with a text of its own; a server that gets it nevertheless ends
     * the connection.
     */
    @Override
    public @Nullable String tooLarge(SQLException e) {
        for (Throwable t : CauseChain.of(e)) {
            String text = String.valueOf(t.getMessage());
            if (t instanceof SQLException s && s.getErrorCode() == 1153
                    || text.contains("max_allowed_packet")
                    || text.contains("PacketTooBig")) {
                return Advice.TOO_LARGE + " " + text;
            }
        }
        return null;
    }

    @Override
    public @Nullable String setupAdvice(SQLException e) {
        if (String.valueOf(e.getMessage()).contains("Public Key Retrieval")) {
            return "Use TLS, or add allowPublicKeyRetrieval=true to the URL.";
        }
        return switch (e.getErrorCode()) {
            case 1045, 1698 -> "The server refused the login: check user and password.";
            case 1049 -> "Create the database, or correct its name in the URL.";
            case 1046 -> "Name the database in the URL.";
            case 1290 -> String.valueOf(e.getMessage()).contains("read-only") ? Advice.READ_ONLY : null;
            case 1836, READ_ONLY_TRANSACTION -> Advice.READ_ONLY;
            case 1665 ->
                "The server logs statements (binlog_format = STATEMENT), and then takes no changes in the isolation that"
                        + " relays need, READ COMMITTED: set binlog_format to ROW or MIXED, and connect anew.";
            case 1044, 1142, 1143 -> "Give the user rights to the database and the tables of the outbox.";
            default -> null;
        };
    }
}
