package dev.outbox.store.jooq;

import dev.outbox.ConfigurationException;
import dev.outbox.MisuseException;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOption;
import dev.outbox.StoreOptions;
import dev.outbox.store.jooq.internal.StoreOpener;
import dev.outbox.store.jooq.internal.connection.Connections;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import dev.outbox.store.jooq.internal.dialect.SqlOption;
import dev.outbox.store.jooq.internal.dialect.TableNames;
import dev.outbox.store.jooq.internal.persist.JdbcPersist;
import dev.outbox.store.jooq.internal.schema.DdlScripts;
import dev.outbox.store.jooq.internal.schema.NotifyTrigger;
import dev.outbox.store.jooq.internal.schema.Schema;
import dev.outbox.store.jooq.internal.schema.StoreErrors;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The outbox in a SQL database, for applications that use JDBC or Spring: PostgreSQL 14, MySQL 8.0.20, MariaDB 10.6, H2
 * 2.3, or newer. Relays read the messages from a {@link Store} on the same database. {@link JooqOutbox} is for
 * transactions of jOOQ. This class does not need jOOQ, and works if its artifact is excluded.
 *
 * <pre>{@code
 * connection.setAutoCommit(false);
 * insertOrder(connection, order);
 * Outbox.bind(placed, JdbcOutbox.persist(connection)).publish(new OrderPlaced(id));
 * connection.commit();
 * }</pre>
 *
 * <p>The tables are called {@code outbox_message}, {@code outbox_partition}, {@code outbox_dead_letter} and {@code
 * outbox_schema}. A connection finds them as it finds any unqualified name, so writers and store must use the same
 * schema. {@link #named} is for other names. The application adds the JDBC driver.
 */
public final class JdbcOutbox {
    /**
     * The option {@code strictOrder} of PostgreSQL, {@code true} or {@code false}, by default false: a partition comes
     * in the order in which it was written, also if transactions overlap. Messages that were written after the first
     * message of a transaction wait until that transaction has ended, in all partitions. OBX-TX-2 and OBX-TX-3 hold for
     * them from then on. So a writer that stays open for long holds up the outbox.
     */
    public static final StoreOption<Boolean> STRICT_ORDER = SqlOption.STRICT_ORDER;

    /**
     * The option {@code oneNode} of MySQL and MariaDB, {@code true} or {@code false}, by default false: all relays and
     * all writers use the same node of a cluster that has several writable nodes. Without the option a store refuses to
     * open on such a node.
     */
    public static final StoreOption<Boolean> ONE_NODE = SqlOption.ONE_NODE;

    private static final Named STANDARD = new Named(TableNames.DEFAULT);

    private JdbcOutbox() {}

    /**
     * Writes messages in the transaction of a JDBC connection. The messages of a call are one batch. If one of them has
     * more than 500,000 bytes, each is a statement of its own. It neither commits nor closes the connection.
     *
     * @throws dev.outbox.MisuseException from {@link PersistFunc#persist} if the connection is in auto-commit mode and
     *     in no transaction (OBX-TX-1). A connection in auto-commit mode may be in a transaction: in a branch of a
     *     distributed one, or in one that began in SQL. It also throws this exception if the transaction is read-only,
     *     and if the connection is closed. A connection that is <em>not</em> in auto-commit mode hides that there is no
     *     transaction. A message that is published on it after the commit begins a transaction that no one commits, and
     *     most pools roll it back: the message is lost. {@code docs/TRANSACTIONS.md} says what happens in each case
     */
    public static PersistFunc persist(Connection tx) {
        return STANDARD.persist(tx);
    }

    /**
     * Writes messages in the transaction of the current thread. It asks the supplier for the connection at each call.
     * It neither commits nor closes the connection. So an application can bind this function once. Several threads may
     * use it if they may use the supplier. With Spring:
     *
     * <pre>{@code
     * JdbcOutbox.persist(() -> TransactionSynchronizationManager.isActualTransactionActive()
     *         ? DataSourceUtils.getConnection(dataSource)
     *         : null);
     * }</pre>
     *
     * @param current returns the connection of the current thread's transaction. Without a transaction it returns null
     *     or throws an exception. It must not take a connection out of a pool if there is no transaction, because no
     *     one would give the connection back
     * @throws dev.outbox.MisuseException from {@link PersistFunc#persist} if the supplier returns null or throws, or if
     *     the connection is in auto-commit mode (OBX-TX-1)
     */
    public static PersistFunc persist(Supplier<? extends @Nullable Connection> current) {
        return STANDARD.persist(current);
    }

    /**
     * A store over a pool of the application. The store never closes the pool, and gives its connections back as they
     * were.
     *
     * <p>An open batch keeps a connection. So the pool needs one connection for each worker of the relay, and three
     * more: two for batches that try topics that were left out, and one for operations. While publishers hang, their
     * batches need up to one for each topic that hangs, and eight more. Publishers that take connections of the same
     * pool need one each: as many as {@code publishers} and {@code workers} of the relay together. The pool must hand
     * out connections of its own. If it returned the connection of the caller's transaction, the store would end that
     * transaction. So opening refuses Spring's {@code TransactionAwareDataSourceProxy}: pass the pool that the proxy is
     * for.
     *
     * <p>A batch is idle while its publishers work, so it lifts the limits on idle and long transactions for its own
     * connection. A thread of the store gives a sign of life on the connection every few seconds. The server ends the
     * connection after a minute without one.
     *
     * <p>Opening tries on two connections what batches rely on. It refuses a database that does not pass.
     *
     * @param options the store refuses an option that has no effect, such as one that this database does not have
     *     <ul>
     *       <li>{@link StoreOptions#CREATE_SCHEMA}, by default true for H2 and false for all others, does what {@link
     *           #createSchema} does
     *       <li>{@link StoreOptions#PREFIX}, by default {@code outbox_}: the names of the tables, in the form that
     *           {@link #named} takes
     *       <li>{@link #STRICT_ORDER}, only on PostgreSQL
     *       <li>{@link StoreOptions#WAKE_UP}, only on PostgreSQL and by default false: the store has {@link
     *           dev.outbox.Capability#WAKE_UP}. It listens on one more connection, which it keeps while it is open. It
     *           needs the trigger of {@link #wakeUpDdl}, which {@code createSchema} creates too. PostgreSQL commits
     *           transactions that notify one after the other
     *       <li>{@link #ONE_NODE}, only on MySQL and MariaDB
     *     </ul>
     * @throws ConfigurationException if the database is not supported, an option is wrong, or the tables are missing
     *     or of another version, with the SQL to run
     * @throws StoreException if the database cannot be reached
     */
    public static Store store(DataSource pool, StoreOptions options) {
        return StoreOpener.store(pool, options);
    }

    /**
     * The DDL of the tables as plain SQL, for the application's own migrations. It can run again. A semicolon ends each
     * statement and is nowhere else, so every tool can split the script.
     */
    public static String ddl(SqlDatabase database) {
        return STANDARD.ddl(database);
    }

    /**
     * The DDL of the trigger by which writers notify stores opened with {@code wakeUp=true}; only for PostgreSQL. It
     * can run again. It has a function with semicolons in its body, between {@code $$}. A tool that splits scripts at
     * semicolons must leave the function whole.
     *
     * @throws ConfigurationException if the database is not PostgreSQL
     */
    public static String wakeUpDdl(SqlDatabase database) {
        return STANDARD.wakeUpDdl(database);
    }

    /**
     * The SQL that brings tables of an older version to the version of this library, for the application's own
     * migrations. The error at opening names the version of the tables. The script can run again, also after it was
     * interrupted. It is empty if the version is already that of this library.
     *
     * <p>Upgrade the tables first. Then upgrade the processes one after the other, those with relays first. Old
     * processes continue meanwhile, and can start again, because everything that they know of the tables is still
     * there. A new process refuses the tables of an older version and shows this script. From 1 to 2: an old relay
     * calls a message of a new process by the number of its row.
     *
     * @param fromVersion the version of the tables, 1 or more
     * @throws dev.outbox.MisuseException if there never was such a version
     */
    public static String upgradeDdl(SqlDatabase database, int fromVersion) {
        return STANDARD.upgradeDdl(database, fromVersion);
    }

    /**
     * Creates missing tables, and upgrades tables of an older version as {@link #upgradeDdl} does. It leaves alone what
     * is there already, and tables of a newer version. Several processes can call it together, and at every start. It
     * looks first: if nothing is missing, it locks nothing and needs no right to create anything.
     *
     * <p>DDL waits for the transactions that use its table, open batches among them. Meanwhile all writers of messages
     * wait for the DDL. So each statement waits for a second at most, lets the others through and tries again, for a
     * minute altogether. Then this method throws and names the transactions that it waited for, as far as the database
     * tells. Tables that were created until then stay, and the next call continues from there. A script that is run by
     * hand or by a tool for migrations needs such a limit too: {@code SET lock_timeout = '1s'} on PostgreSQL,
     * {@code SET lock_wait_timeout = 1} on MySQL and MariaDB, where the default is a year.
     *
     * @throws ConfigurationException if the database is not supported
     * @throws StoreException if the database cannot be reached or refuses
     */
    public static void createSchema(DataSource pool) {
        STANDARD.createSchema(pool);
    }

    /**
     * The outbox whose tables have other names, for applications that have several outboxes in a database, or rules for
     * the names of tables. Outboxes with different names never meet. The names of indexes begin with the prefix too.
     *
     * <pre>{@code
     * JdbcOutbox.Named shop = JdbcOutbox.named("shop.events_");
     * shop.createSchema(dataSource);              // shop.events_message, shop.events_partition, …
     * Outbox.bind(placed, shop.persist(connection)).publish(new OrderPlaced(id));
     * Store store = Stores.open(url, StoreOptions.defaults().withPrefix("shop.events_"));
     * }</pre>
     *
     * @param names a prefix such as {@code events_}, or a schema (MySQL and MariaDB: a database) and a prefix such as
     *     {@code shop.events_}. Both are plain identifiers of the characters {@code A-Z a-z 0-9 _} that do not begin
     *     with a digit. The prefix has at most 40 characters, the schema at most 63. The database gets them without
     *     quotes, so it treats upper and lower case as in any name, and the schema must not be a reserved word. Without
     *     a schema, the connection finds the tables as it finds any unqualified name
     * @throws ConfigurationException if the names have another form
     */
    public static Named named(String names) {
        return new Named(TableNames.of(names));
    }

    /**
     * One outbox of a database, by the names of its tables. It does what {@link JdbcOutbox} does with the default
     * names. Immutable, equal to those of the same names, and safe for use by several threads.
     */
    public static final class Named {
        private final TableNames names;
        private final JdbcPersist writing;

        private Named(TableNames names) {
            this.names = names;
            this.writing = new JdbcPersist(names);
        }

        /** Writes messages as {@link JdbcOutbox#persist(Connection)} does. */
        public PersistFunc persist(Connection tx) {
            return in(work -> work.apply(tx));
        }

        /** Writes messages as {@link JdbcOutbox#persist(Supplier)} does. */
        public PersistFunc persist(Supplier<? extends @Nullable Connection> current) {
            return in(work -> {
                Connection connection;
                try {
                    connection = current.get();
                } catch (OutboxException e) {
                    throw e; // it knows better
                } catch (RuntimeException e) {
                    throw new MisuseException(
                            "The supplier of the current transaction's connection failed, so there is no transaction"
                                    + " that the message could share: begin one first. "
                                    + e,
                            e);
                }
                if (connection == null) {
                    throw new MisuseException(
                            "The supplier of the current transaction's connection returned null, so there"
                                    + " is no transaction that the message could share: begin one first.");
                }
                return work.apply(connection);
            });
        }

        /** Lends the connection of a transaction. */
        interface Transaction {
            List<String> lend(Function<Connection, List<String>> work);
        }

        PersistFunc in(Transaction transaction) {
            return new PersistFunc() {
                @Override
                public String persist(OutgoingMessage message) {
                    return persistAll(List.of(message)).get(0);
                }

                @Override
                public List<String> persistAll(List<OutgoingMessage> messages) {
                    return transaction.lend(connection -> writing.persist(connection, messages));
                }
            };
        }

        /**
         * Opens a store as {@link JdbcOutbox#store} does.
         *
         * @throws ConfigurationException also if {@link StoreOptions#PREFIX} is another one
         */
        public Store store(DataSource pool, StoreOptions options) {
            String others = options.get(StoreOptions.PREFIX);
            if (others != null && !TableNames.of(others).equals(names)) {
                throw new ConfigurationException("The option " + StoreOptions.PREFIX + " is '" + others
                        + "', and the store is to be opened on the tables " + names + ": leave the option away.");
            }
            return StoreOpener.store(pool, options.withPrefix(names.toString()));
        }

        /** The DDL of {@link JdbcOutbox#ddl} with these names. */
        public String ddl(SqlDatabase database) {
            return DdlScripts.ddl(dialect(database));
        }

        /** The DDL of {@link JdbcOutbox#upgradeDdl} with these names. */
        public String upgradeDdl(SqlDatabase database, int fromVersion) {
            return DdlScripts.upgrade(dialect(database), fromVersion);
        }

        /** The DDL of {@link JdbcOutbox#wakeUpDdl} with these names. */
        public String wakeUpDdl(SqlDatabase database) {
            if (database != SqlDatabase.POSTGRESQL) {
                throw new ConfigurationException(
                        "wakeUp=true is for PostgreSQL alone; there is no trigger for " + database + ".");
            }
            return NotifyTrigger.ddl(dialect(database));
        }

        private Dialect dialect(SqlDatabase database) {
            Dialect standard = switch (database) {
                case POSTGRESQL -> Dialects.POSTGRESQL;
                case MYSQL -> Dialects.MYSQL;
                case MARIADB -> Dialects.MARIADB;
                case H2 -> Dialects.H2;
            };
            return standard.named(names);
        }

        /** Creates the tables as {@link JdbcOutbox#createSchema} does. If the names say a schema, it must exist. */
        public void createSchema(DataSource pool) {
            Connections.requireOwnTransactions(pool);
            try (Connection connection = pool.getConnection()) {
                boolean autoCommit = connection.getAutoCommit();
                Dialect dialect = Dialects.of(connection).named(names);
                try {
                    Schema.create(connection, dialect);
                } catch (SQLException e) {
                    throw StoreErrors.opening("Creating the tables of the outbox", dialect, e);
                } finally {
                    connection.setAutoCommit(autoCommit);
                }
            } catch (SQLException e) {
                throw new StoreException(StoreErrors.text("Creating the tables of the outbox", e), e);
            }
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Named that && names.equals(that.names);
        }

        @Override
        public int hashCode() {
            return names.hashCode();
        }

        /** The names, in the form that {@link JdbcOutbox#named} takes. */
        @Override
        public String toString() {
            return names.toString();
        }
    }
}
