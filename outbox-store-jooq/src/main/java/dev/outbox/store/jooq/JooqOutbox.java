package dev.outbox.store.jooq;

import dev.outbox.ConfigurationException;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import java.sql.Connection;
import java.util.Objects;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.TransactionListener;
import org.jspecify.annotations.Nullable;

/**
 * The outbox in a SQL database: PostgreSQL 14, MySQL 8.0.20, MariaDB 10.6, H2 2.3, or newer. Messages are written through jOOQ or plain
 * JDBC; relays read them from a {@link Store} on the same database.
 *
 * <pre>{@code
 * ctx.transaction(tx -> {
 *     tx.dsl().insertInto(ORDERS)…execute();
 *     Outbox.bind(placed, JooqOutbox.persist(tx)).publish(new OrderPlaced(id));
 * });
 * }</pre>
 *
 * The tables are called {@code outbox_message}, {@code outbox_partition}, {@code outbox_dead_letter} and {@code
 * outbox_schema}, and are found the way the connection finds any unqualified name: writers and store must use the same
 * schema. {@link OutboxTables} is for others. The JDBC driver is the application's to add.
 */
public final class JooqOutbox {
    /**
     * Name of the store option for the names of the tables, as {@link OutboxTables#of} takes them; by default {@code
     * outbox_}.
     */
    public static final String TABLES = Names.OPTION;

    private JooqOutbox() {}

    /**
     * Writes messages in the transaction that a {@link DSLContext} is in, through its own connection, by one statement.
     * What it makes is as safe for use by several threads as the context, which is hardly ever.
     *
     * @throws dev.outbox.MisuseException from {@link PersistFunc#persist} if the connection is in auto-commit mode, as it
     *     is outside of transactions (OBX-TX-1), or if the transaction is read-only. A pool whose connections are <em>not</em>
     *     in auto-commit mode hides that there is none: what is published with such a connection after the commit, say by
     *     Spring's {@code afterCommit}, begins a transaction that nobody commits, and is gone
     */
    public static PersistFunc persist(DSLContext tx) {
        return OutboxTables.DEFAULT.persist(tx);
    }

    /** As {@link #persist(DSLContext)}, for what {@link DSLContext#transaction} hands to its block. */
    public static PersistFunc persist(Configuration tx) {
        return OutboxTables.DEFAULT.persist(tx);
    }

    /**
     * Writes messages in the transaction of a JDBC connection, by one statement. It neither commits nor closes it.
     *
     * @throws dev.outbox.MisuseException from {@link PersistFunc#persist} if the connection is in auto-commit mode and in no
     *     transaction all the same, which may be a branch of a distributed one or one that was begun in SQL (OBX-TX-1); or if
     *     the transaction is read-only
     */
    public static PersistFunc persist(Connection tx) {
        return OutboxTables.DEFAULT.persist(tx);
    }

    /**
     * Writes messages in the transaction that the current thread is in, by one statement, on the connection that the supplier
     * returns; it is asked at each call, and its connections are neither committed nor closed. So this function can be
     * bound once for the whole application, and is safe for use by several threads if the supplier is. With Spring:
     *
     * <pre>{@code
     * JooqOutbox.persist(() -> TransactionSynchronizationManager.isActualTransactionActive()
     *         ? DataSourceUtils.getConnection(dataSource)
     *         : null);
     * }</pre>
     *
     * @param current returns the connection of the current thread's transaction, null or an exception if it is in none. It
     *     must not take a connection out of a pool just because there is no transaction: nobody would give it back
     * @throws dev.outbox.MisuseException from {@link PersistFunc#persist} if the supplier returns null or throws, or if the
     *     connection is in auto-commit mode (OBX-TX-1)
     */
    public static PersistFunc persist(Supplier<? extends @Nullable Connection> current) {
        return OutboxTables.DEFAULT.persist(current);
    }

    /**
     * Wakes a relay in the same process as soon as a transaction has committed, so that its messages do not wait for the
     * next poll: {@code configuration.set(JooqOutbox.wakeUpAfterCommit(relay::wakeUp))}.
     *
     * <p>It is called after each transaction that jOOQ began and that is in no other; not after savepoints, nor after
     * rollbacks. A transaction that was begun elsewhere, by Spring say, ends without jOOQ's knowledge: have that call the
     * relay. It is called too after a commit that failed, since it may have taken effect all the same.
     *
     * @param wakeUp to be called on the thread of the transaction; should be quick. What it throws is logged and otherwise
     *     ignored
     */
    public static TransactionListener wakeUpAfterCommit(Runnable wakeUp) {
        return new WakeAfterCommit(Objects.requireNonNull(wakeUp, "wakeUp"));
    }

    /**
     * A store over a pool of the application, which is never closed, and which gets its connections back as they were. A
     * batch keeps a connection for as long as it is open, so the pool needs as many for the relay as it has workers, and
     * two more: for the batch that tries a topic that was left out, and for what is asked beside. Publishers that take
     * connections of the same pool need one each as well: as many as {@link dev.outbox.Relay.Builder#publishers} and the
     * workers together. It must hand out connections of its own: one that returns the connection of the caller's transaction would
     * have the store end that transaction. A batch lifts the limits on idle and long transactions for itself: it is idle for as
     * long as its publishers take. A thread of the store gives a sign of life on it every few seconds, and the server ends it
     * if there is none for a minute.
     *
     * <p>Opening tries on two connections what batches rest on, and refuses a database on which it does not hold.
     *
     * @param options {@link StoreOptions#withCreateSchema}, by default true for H2 and false for all others, does what
     *     {@link #createSchema} does; {@value #TABLES}, the names of the tables; {@link StoreOptions#withWorkers} is
     *     allowed and has no effect. On PostgreSQL also: <ul> <li>{@code strictOrder=true}, by default false: a
     *     partition comes in the order in which it was written, with no exception for transactions that overlap. What
     *     was written after the first message of a transaction waits until that transaction has ended, in all
     *     partitions; OBX-TX-2 and OBX-TX-3 hold for it from then on. So a writer that stays open for long holds up
     *     the outbox <li>{@code wakeUp=listen}, by default {@code none}: the store has {@link
     *     dev.outbox.Capability#WAKE_UP}, heard on one connection more, which it keeps for as long as it is open.
     *     Needs the trigger of {@link #wakeUpDdl}, which {@code createSchema} creates too. PostgreSQL commits
     *     transactions that notify one after the other </ul> On MySQL and MariaDB {@code oneNode=true}, by default
     *     false: all relays, and all that write messages, use one and the same node of a cluster that could be written
     *     to on several; without it a store refuses to be opened on such a node
     * @throws ConfigurationException if the database is not supported, an option is wrong, or the tables are missing
     *     or of another version, with the SQL to run
     * @throws StoreException if the database cannot be reached
     */
    public static Store store(DataSource pool, StoreOptions options) {
        return Opening.store(pool, options);
    }

    /**
     * The DDL of the tables as plain SQL, to be put among the application's own migrations. It can be run again. There is a
     * semicolon behind each statement and nowhere else, so every tool can take it apart.
     *
     * @throws ConfigurationException if the database is not supported
     */
    public static String ddl(SQLDialect dialect) {
        return OutboxTables.DEFAULT.ddl(dialect);
    }

    /**
     * The DDL of the trigger by which writers notify stores opened with {@code wakeUp=listen}; PostgreSQL alone. It can be
     * run again. It has a function with semicolons in its body, between {@code $$}: tell a tool that splits at each of them
     * to leave it whole.
     *
     * @throws ConfigurationException if the database is another one
     */
    public static String wakeUpDdl(SQLDialect dialect) {
        return OutboxTables.DEFAULT.wakeUpDdl(dialect);
    }

    /**
     * The SQL that brings the tables from an older version, which an error at opening names, to that of this library; to be
     * put among the application's own migrations. It can be run again, also after it was cut off; empty if the version is
     * already this one's.
     *
     * <p>Upgrade the tables first and the processes then, one after the other, those with relays first. Old processes go on
     * meanwhile, and start again: what they know of the tables is still there. A new one refuses the tables of an older
     * version, with this script. From 1 to 2: an old relay calls a message that a new process has written by the number of its row.
     *
     * @param fromVersion the version of the tables, 1 or more
     * @throws ConfigurationException if the database is not supported
     * @throws dev.outbox.MisuseException if there never was such a version
     */
    public static String upgradeDdl(SQLDialect dialect, int fromVersion) {
        return OutboxTables.DEFAULT.upgradeDdl(dialect, fromVersion);
    }

    /**
     * Makes the tables that are missing and upgrades those that are of an older version, as {@link #upgradeDdl} does; what
     * is there already, and tables of a newer version, are left alone. Several processes may do so at once, and it may be
     * called at every start: it looks first, and where nothing is missing it locks nothing and needs no right to make anything.
     *
     * <p>DDL waits for the transactions that use its table, open batches among them, and all who write messages wait behind
     * it. So each statement waits for a second at most, lets the others through and tries again, for a minute altogether; then
     * this throws and says who was in the way, as far as the database tells. What was made until then stays, and the next
     * call goes on from there. A script run by hand, or by a tool for migrations, needs such a limit too: {@code SET
     * lock_timeout = '1s'} on PostgreSQL, {@code SET lock_wait_timeout = 1} on MySQL and MariaDB, where it is a year otherwise.
     *
     * @throws ConfigurationException if the database is not supported
     * @throws StoreException if the database cannot be reached or refuses
     */
    public static void createSchema(DataSource pool) {
        OutboxTables.DEFAULT.createSchema(pool);
    }
}
