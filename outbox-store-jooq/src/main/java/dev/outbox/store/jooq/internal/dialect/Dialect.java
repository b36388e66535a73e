package dev.outbox.store.jooq.internal.dialect;

import dev.outbox.Operations;
import dev.outbox.Operations.Backlog;
import dev.outbox.store.support.Place;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What differs from database to database, and how the tables are called. Everything else is common. A new database is
 * a new implementation, listed in {@link Dialects#ALL}, and a file of DDL. Immutable.
 */
public sealed interface Dialect
        extends ServerProfile,
                SchemaDialect,
                TransactionDialect,
                CheckoutDialect,
                CloseDialect,
                SqlExpressions,
                ErrorMeanings
        permits PostgresDialect, MySqlDialect, H2Dialect {
    /** How the tables of the outbox are called. */
    TableNames names();

    /** The same dialect for an outbox whose tables have other names. */
    Dialect named(TableNames names);

    /** The same dialect, adapted to the settings of the server that a connection leads to. */
    Dialect on(Connection connection) throws SQLException;

    /** A statement, or a text, with the names of this outbox. Everything that the store sends has been through here. */
    String sql(String withDefaultNames);

    /**
     * If the server makes transactions visible before they are durable, so that a crash could undo a message that was
     * already published: the problem and the fix. Otherwise null.
     */
    @Nullable
    String weakDurability(Connection connection) throws SQLException;

    /**
     * The problem and the fix, if batches cannot rely on the server, its settings or the tables. Otherwise null. This
     * is for the problems that {@code Rehearsal} cannot find.
     *
     * @param oneNode whether the user says that all relays and writers use the same node of a cluster
     */
    @Nullable
    String unfit(Connection connection, boolean oneNode) throws SQLException;

    /**
     * Answers {@link Operations#backlog}. Jumps from partition to partition, and reads at most
     * {@link Backlog#EXACT_UP_TO} entries of the index of each.
     */
    List<Backlog> backlog(Connection connection) throws SQLException;

    /**
     * Messages of a topic that wait, ordered by partition and row, at most a number of them. Reads no other entries of
     * the index.
     *
     * @param after they begin after this place
     * @param last the last partition that is wanted
     * @param whole the largest payload in bytes that is read with its row
     */
    List<ListingQuery.Row> pending(Connection connection, String topic, Place after, int last, int limit, long whole)
            throws SQLException;

    /**
     * Query: the partitions that open batches hold, with the columns topic, partition_no, the owner as a text, and
     * since when as a {@link #time}, which may be null. Null if the database does not say.
     */
    @Nullable
    String holders();

    /** Why the database does not say that to this user, and what must be granted; null if it does. */
    @Nullable
    default String withoutHolders(Connection connection) throws SQLException {
        return holders() == null ? product() + " does not tell which rows are locked by whom" : null;
    }

    /** How an index is made while applications write, up to its name. */
    default String createIndex() {
        return "CREATE INDEX";
    }

    /** Query: the bytes that the server accepts in one piece. Null if it accepts every message that may be. */
    @Nullable
    String mostBytes();

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
