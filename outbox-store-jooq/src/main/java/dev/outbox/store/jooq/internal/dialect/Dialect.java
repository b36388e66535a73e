package dev.outbox.store.jooq.internal.dialect;

import com.zaxxer.hikari.HikariConfig;
import dev.outbox.Operations;
import dev.outbox.Operations.Backlog;
import dev.outbox.StoreOption;
import dev.outbox.store.jooq.internal.partition.DiscoveryQuery;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.OpenTransactions;
import dev.outbox.store.jooq.internal.partition.Partition;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What differs from database to database, and how the tables are called; everything else is common. A new database is a new implementation, listed in
 * {@link Dialects#ALL}, and a file of DDL. Immutable.
 *
 * <p>How partitions are taken and messages are read is where a database can break the promise of the outbox, so these
 * rules hold for every implementation: {@link #take} and {@link #read} are statements of their own, because a statement
 * sees the data of before it got its locks; a read names the columns of the index in its order, or the database sorts
 * the backlog at every checkout; nothing waits for a lock.
 */
public sealed interface Dialect permits PostgresDialect, MySqlDialect, H2Dialect {
    /** How the tables of the outbox are called. */
    TableNames names();

    /** The same for an outbox whose tables are called otherwise. */
    Dialect named(TableNames names);

    /** The same for the server behind a connection, whatever that knows of its settings. */
    Dialect on(Connection connection) throws SQLException;

    /** A statement, or a text, with the names of this outbox; everything that is sent has been through here. */
    String sql(String withDefaultNames);

    /** As the driver calls the product. */
    String product();

    /** The version of a server, as far as it tells: major, minor, patch. */
    int[] version(DatabaseMetaData server) throws SQLException;

    /** The oldest version that has what is needed, as far as that matters: major, minor, patch. */
    int[] leastVersion();

    /** The options that only some databases have, and that this one has. */
    Set<StoreOption<Boolean>> options();

    String urlPrefix();

    String driverClass();

    /** Where to get the driver, as {@code group:artifact}. */
    String driverArtifact();

    /** Name of the resource with the DDL of a fresh schema; upgrades are beside it, see {@code Schema.upgrade}. */
    String ddlResource();

    /** Whether a store opened by URL creates the schema unless told otherwise. */
    boolean createsSchemaByDefault();

    /** The value of a parameter of a URL, null if it is not in there. */
    @Nullable
    String parameter(String name, String url);

    /** Why a store must not be opened at a URL, and how to change it; null if it may. */
    @Nullable
    String trap(String url);

    /** The URL without a parameter. */
    String without(String name, String url);

    /** Sets what the connections of our own pool are opened with, and returns the URL without what would contradict it. */
    String prepare(Properties driverSettings, String url);

    /** How our own pool is set up. */
    void prepare(HikariConfig pool);

    /** Whether JDBC calls the schemas of this database catalogs, and SQL calls them databases. */
    boolean schemasAreCatalogs();

    /** The statement that gives a user the right to use the schema of the tables, or "" if no such right is needed. */
    String grantOfSchema(String user);

    /** All indexes of one of our tables. */
    List<IndexInfo> indexes(Connection connection, String table) throws SQLException;

    /** Whether statements name the indexes that they use, so that those must be called as in the DDL. */
    boolean namesIndexes();

    /** The statement that drops an index. */
    String dropIndex(String index, String table);

    /**
     * What is wrong, and what to do, if the column topic of one of our tables is not compared character by character in the
     * order of the index; else null.
     */
    @Nullable
    String inexactTopic(Connection connection, String table) throws SQLException;

    /**
     * What is wrong, and what to do, if the server is set up to show transactions to others that a crash of it may undo, so
     * that a relay could publish what then never happened; else null.
     */
    @Nullable
    String weakDurability(Connection connection) throws SQLException;

    /**
     * Has the DDL of this transaction wait for locks for a second at most.
     *
     * @return the statement that puts the session back as it was, or "" if it ends with the transaction
     */
    String limitLocks(Statement statement) throws SQLException;

    /** Whether a statement was given up because it would have had to wait for others. */
    boolean isLockTimeout(SQLException e);

    /** Query: who uses a table, a text for each; null if the database does not say. */
    @Nullable
    String lockHolders(String table);

    /**
     * What is wrong with the server, its settings or the tables, and what to do, if batches could not rest on it; else null.
     * For what {@code Rehearsal} cannot find out.
     *
     * @param oneNode whether the user says that all relays and writers use the same node of a cluster
     */
    @Nullable
    String unfit(Connection connection, boolean oneNode) throws SQLException;

    /** Query: the schema of the tables that this connection finds, and those in which there are tables of the same names, or null. */
    String whereabouts();

    /** The statement after which ids are drawn behind all that there are. */
    String raiseIds();

    /** Takes, in a transaction, something that has the number of a row of outbox_message, as partitions are taken. */
    boolean takeRehearsed(Connection connection, int lockKey, long rowId) throws SQLException;

    /** Keeps the steps of concurrent creations of the schema in this process apart, looking included. */
    Object schemaMonitor();

    /** Keeps concurrent creations of the schema apart until the transaction ends, where the database does not. */
    void lockSchema(Connection connection) throws SQLException;

    /**
     * Begins a READ COMMITTED transaction on a connection in auto-commit mode that may be set up in any other way, and
     * returns what {@link #endTransaction} needs to put the connection back as it was.
     */
    int beginTransaction(Connection connection) throws SQLException;

    /**
     * Begins a transaction on a connection of our own pool, which is in auto-commit mode and READ COMMITTED; or returns
     * the statement that does, to be sent together with the first one of the transaction, else "".
     */
    String beginDedicated(Connection connection) throws SQLException;

    /**
     * Statements to be sent behind the beginning of a transaction so that it fails where nothing can be written, or "" where
     * its beginning does, or where the first change does that a batch makes before it hands anything out.
     */
    String requireWritable();

    /** Whether an exception may say that nothing can be written; {@link #whyReadOnly} knows more. */
    boolean isReadOnly(SQLException e);

    /** Query, outside of any transaction: what makes the database read-only for this session, null if nothing is known to. */
    String whyReadOnly();

    /** Fails if the session in which {@link #beginDedicated} or {@link #beginTransaction} began a transaction is not there any more. */
    void requireSession(Connection connection) throws SQLException;

    /** Commits what {@link #beginDedicated} or {@link #beginTransaction} began. */
    void commit(Connection connection) throws SQLException;

    /** Takes back what {@link #beginDedicated} or {@link #beginTransaction} began. */
    void rollback(Connection connection) throws SQLException;

    /** Undoes to the connection what {@link #beginTransaction} did beyond the transaction. */
    void endTransaction(Connection connection, int before) throws SQLException;

    /** Whether a transaction that has taken partitions and changed nothing is to be committed rather than rolled back. */
    boolean endsHoldsByCommit();

    /**
     * The statement that finds the partitions of the topics that have messages and are not delayed: topic, partition_no,
     * id (null if it has no row). Costs in proportion to the partitions found, not to messages nor to all partitions.
     */
    String discovery(Collection<String> topics);

    /**
     * The same behind what is settled, so that it need not be walked through where it is dead and still in the index.
     *
     * @param settled up to which row nothing is left of a partition, see {@code ReadPositions}; only where there is a {@code LowWatermark}
     */
    String discoveryBehind(Collection<String> topics, Map<Partition, Long> settled);

    /**
     * {@link Operations#backlog}. Jumps from partition to partition, and reads at most {@link Backlog#EXACT_UP_TO} entries
     * of the index of each.
     */
    List<Backlog> backlog(Connection connection) throws SQLException;

    /** What to append to a query in the transaction of a batch, so that the open batch hinders nothing on the server. */
    String endOfRead();

    /** Adds rows to outbox_partition where missing, whoever else does the same. */
    void addPartitions(Connection connection, List<Partition> missing) throws SQLException;

    /**
     * Takes those of the partitions that are ready and free until the transaction ends, but not more than so many: as soon as
     * these are taken no other is tried, nor kept from anybody. Returns their ids. Where the lock is
     * one of their rows, which nobody else can change then, this tells each which message of it failed the last time, and
     * leaves out rows that are those of other partitions by now.
     *
     * @param begin what {@link #beginDedicated} has left to be done before, or ""
     */
    List<Integer> take(Connection connection, String begin, int lockKey, List<HeldPartition> wanted, int most)
            throws SQLException;

    /** Whether {@link #takeAndRead} spares a round trip on a connection, of our own pool or of the application's. */
    boolean takesAndReadsAtOnce(boolean own);

    /**
     * {@link #take} of all of them and then {@link #read} of the same partitions, still two statements, sent together: the second sees
     * what is committed when the first has got its locks. Returns the ids of those that were taken. What was read of the
     * others is nobody's, and to be thrown away.
     *
     * @param query to be sent with them, behind both; on a connection of our own
     */
    List<Integer> takeAndRead(
            Connection connection,
            String begin,
            int lockKey,
            List<HeldPartition> wanted,
            @Nullable DiscoveryQuery query)
            throws SQLException;

    /** How many partitions one statement can read at a reasonable price. */
    int mostReadAtOnce();

    /**
     * Reads partitions that are taken: of each at most its rows, after its position and not past its end, as it is at
     * one moment. It leaves out payloads that are larger than {@link HeldPartition#whole}. It may leave out the payload of the
     * row after the share. Tells each partition which message of it failed the last time, unless {@link #take} has.
     */
    void read(Connection connection, List<HeldPartition> partitions) throws SQLException;

    /**
     * Who is writing to outbox_message now; null if the database does not say, or keeps no dead entries in its indexes, so
     * that nobody needs to know.
     *
     * @param strictOrder whether to ask for the last id that was drawn, too
     */
    @Nullable
    OpenTransactions writers(Connection connection, int lockKey, boolean strictOrder) throws SQLException;

    /** The hint after the alias of outbox_message that makes the server find rows by the ids in the query. */
    String byIds();

    /** The row id of the first message of a partition behind a row; 0 if there is none. */
    long head(Connection connection, Partition partition, long after) throws SQLException;

    /** Deletes messages by row id and returns how many there were. */
    int delete(Connection connection, long[] rowIds) throws SQLException;

    /** Whether {@link #deleteAndCommit} spares a round trip on a connection of our own pool. */
    boolean deletesAndCommitsAtOnce();

    /**
     * Deletes messages by row id and then commits, in one round trip, and returns how many there were. After an error of a
     * connection that is still there nothing is changed; if it is lost, that is not known.
     */
    int deleteAndCommit(Connection connection, long[] rowIds) throws SQLException;

    /** What ends a query that is to return at most so many rows, which may be a parameter. */
    String limit(String count);

    /** Expression: the time it really is on the server, not the time the transaction began. */
    String now();

    /** Expression: {@link #now} and a parameter of milliseconds. */
    String nowPlusMillis();

    /** Expression: milliseconds since a time, negative if it is to come. */
    String millisSince(String time);

    /** Expression: a point in time, from a column of one, as {@link #instant} takes it. */
    String time(String column);

    /** A point in time. */
    Instant instant(ResultSet rows, int column) throws SQLException;

    /** Whether a table or column is missing. */
    boolean isMissingTable(SQLException e);

    /** Query: the user of the connection, as GRANT wants it. */
    String grantee();

    /** Whether the user lacks a right to a table. */
    boolean isMissingRight(SQLException e);

    /** Query: the bytes that the server takes in one piece; null if it takes whatever a message may be. */
    @Nullable
    String mostBytes();

    /** What to say if a message was too large for the server; null if that is not what happened. */
    @Nullable
    String tooLarge(SQLException e);

    /** What to change if opening a connection failed by something set up wrongly; null if trying again may help. */
    @Nullable
    String setupAdvice(SQLException e);

    /** Puts the names of topics where a statement that has the names of this outbox says {@code {topics}}. */
    static String withTopics(String sql, Collection<String> topics, String separator) {
        return sql.replace("{topics}", list(topics, separator));
    }

    private static String list(Collection<String> topics, String separator) {
        StringBuilder list = new StringBuilder();
        for (String topic : topics) {
            list.append(list.isEmpty() ? "" : separator)
                    .append('\'')
                    .append(topic.replace("'", "''"))
                    .append('\'');
        }
        return list.toString();
    }

    static Long[] boxed(long[] values) {
        Long[] boxed = new Long[values.length];
        for (int i = 0; i < values.length; i++) {
            boxed[i] = values[i];
        }
        return boxed;
    }
}
