package dev.outbox.store.jooq;

import dev.outbox.ConfigurationException;
import dev.outbox.MisuseException;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import dev.outbox.store.jooq.internal.dialect.TableNames;
import java.util.Objects;
import javax.sql.DataSource;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.TransactionListener;
import org.jooq.exception.DataAccessException;
import org.jooq.exception.DetachedException;
import org.jspecify.annotations.Nullable;

/**
 * The outbox in a SQL database, for applications that use jOOQ. It writes messages in the transactions of jOOQ, and
 * otherwise does what {@link JdbcOutbox} does, which has the details. Transactions of both classes may share the
 * tables.
 *
 * <pre>{@code
 * ctx.transaction(tx -> {
 *     tx.dsl().insertInto(ORDERS)…execute();
 *     Outbox.bind(placed, JooqOutbox.persist(tx)).publish(new OrderPlaced(id));
 * });
 * }</pre>
 */
public final class JooqOutbox {
    private static final Named STANDARD = new Named(JdbcOutbox.named(TableNames.DEFAULT.toString()));

    private JooqOutbox() {}

    /**
     * Writes messages in the transaction that a {@link DSLContext} is in, on its connection, as {@link JdbcOutbox}
     * does. Several threads can use the result if they can use the context, which is rarely so.
     *
     * @throws dev.outbox.MisuseException from {@link PersistFunc#persist} if the connection is in auto-commit mode, as
     *     it is outside of transactions (OBX-TX-1), or if the transaction is read-only. A pool whose connections
     *     are <em>not</em> in auto-commit mode hides that there is no transaction. A message that is published on such
     *     a connection after the commit, for example by Spring's {@code afterCommit}, begins a transaction that no one
     *     commits, and most pools roll it back: the message is lost. {@code docs/TRANSACTIONS.md} says what happens in
     *     each case
     */
    public static PersistFunc persist(DSLContext tx) {
        return STANDARD.persist(tx);
    }

    /**
     * Writes messages as {@link #persist(DSLContext)} does, with the configuration that {@link DSLContext#transaction}
     * hands to its block.
     */
    public static PersistFunc persist(Configuration tx) {
        return STANDARD.persist(tx);
    }

    /**
     * Wakes a relay in the same process as soon as a transaction has committed, so that its messages do not wait for
     * the next poll: {@code configuration.set(JooqOutbox.wakeUpAfterCommit(relay::wakeUp))}.
     *
     * <p>The listener calls it after each outermost transaction that jOOQ began; not after savepoints, nor after
     * rollbacks. jOOQ does not see the end of a transaction that began elsewhere, for example in Spring: that code must
     * call the relay. The listener also calls it after a commit that failed, because the commit may have taken effect.
     *
     * @param wakeUp runs on the thread of the transaction, so it should be quick. The listener logs what it throws and
     *     otherwise ignores it
     */
    public static TransactionListener wakeUpAfterCommit(Runnable wakeUp) {
        return new WakeAfterCommit(Objects.requireNonNull(wakeUp, "wakeUp"));
    }

    /**
     * Opens a store over a pool of the application, as {@link JdbcOutbox#store} does.
     *
     * @throws ConfigurationException if the database is not supported, an option is wrong, or the tables are missing
     *     or of another version, with the SQL to run
     * @throws StoreException if the database cannot be reached
     */
    public static Store store(DataSource pool, StoreOptions options) {
        return STANDARD.store(pool, options);
    }

    /**
     * The DDL of the tables, as {@link JdbcOutbox#ddl} returns it.
     *
     * @throws ConfigurationException if the database is not supported
     */
    public static String ddl(SQLDialect dialect) {
        return STANDARD.ddl(dialect);
    }

    /**
     * The DDL of the trigger for {@code wakeUp=true}, as {@link JdbcOutbox#wakeUpDdl} returns it.
     *
     * @throws ConfigurationException if the database is not PostgreSQL
     */
    public static String wakeUpDdl(SQLDialect dialect) {
        return STANDARD.wakeUpDdl(dialect);
    }

    /**
     * The SQL that upgrades tables of an older version, as {@link JdbcOutbox#upgradeDdl} returns it.
     *
     * @param fromVersion the version of the tables, 1 or more
     * @throws ConfigurationException if the database is not supported
     * @throws dev.outbox.MisuseException if there never was such a version
     */
    public static String upgradeDdl(SQLDialect dialect, int fromVersion) {
        return STANDARD.upgradeDdl(dialect, fromVersion);
    }

    /**
     * Creates missing tables and upgrades old ones, as {@link JdbcOutbox#createSchema} does.
     *
     * @throws ConfigurationException if the database is not supported
     * @throws StoreException if the database cannot be reached or refuses
     */
    public static void createSchema(DataSource pool) {
        STANDARD.createSchema(pool);
    }

    /**
     * The outbox whose tables have other names.
     *
     * @param names a prefix, or a schema and a prefix, as {@link JdbcOutbox#named} says
     * @throws ConfigurationException if the names have another form
     */
    public static Named named(String names) {
        return new Named(JdbcOutbox.named(names));
    }

    private static SqlDatabase database(SQLDialect dialect) {
        return switch (dialect.family()) {
            case POSTGRES -> SqlDatabase.POSTGRESQL;
            case MYSQL -> SqlDatabase.MYSQL;
            case MARIADB -> SqlDatabase.MARIADB;
            case H2 -> SqlDatabase.H2;
            default ->
                throw new ConfigurationException("The outbox does not support SQL dialect " + dialect + "; it supports "
                        + Dialects.supported() + ".");
        };
    }

    /**
     * One outbox of a database, by the names of its tables. It does what {@link JooqOutbox} does with the default
     * names. Immutable, equal to those of the same names, and safe for use by several threads.
     */
    public static final class Named {
        private final JdbcOutbox.Named tables;

        private Named(JdbcOutbox.Named tables) {
            this.tables = tables;
        }

        /** Writes messages as {@link JooqOutbox#persist(DSLContext)} does. */
        public PersistFunc persist(DSLContext tx) {
            return tables.in(work -> {
                try {
                    return tx.connectionResult(work::apply);
                } catch (DetachedException e) {
                    throw new MisuseException(
                            "The jOOQ context has no connection, so it is in no transaction: publish within"
                                    + " transaction(…), and use the Configuration it hands you. "
                                    + e.getMessage(),
                            e);
                } catch (DataAccessException e) {
                    throw new StoreException("jOOQ gave no connection to write the message with: " + e.getMessage(), e);
                }
            });
        }

        /** Writes messages as {@link JooqOutbox#persist(Configuration)} does. */
        public PersistFunc persist(Configuration tx) {
            return persist(tx.dsl());
        }

        /**
         * Opens a store as {@link JdbcOutbox#store} does.
         *
         * @throws ConfigurationException also if {@link StoreOptions#PREFIX} is another one
         */
        public Store store(DataSource pool, StoreOptions options) {
            return tables.store(pool, options);
        }

        /** The DDL of {@link JooqOutbox#ddl} with these names. */
        public String ddl(SQLDialect dialect) {
            return tables.ddl(database(dialect));
        }

        /** The DDL of {@link JooqOutbox#upgradeDdl} with these names. */
        public String upgradeDdl(SQLDialect dialect, int fromVersion) {
            return tables.upgradeDdl(database(dialect), fromVersion);
        }

        /** The DDL of {@link JooqOutbox#wakeUpDdl} with these names. */
        public String wakeUpDdl(SQLDialect dialect) {
            return tables.wakeUpDdl(database(dialect));
        }

        /** Creates the tables as {@link JdbcOutbox#createSchema} does. If the names say a schema, it must exist. */
        public void createSchema(DataSource pool) {
            tables.createSchema(pool);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Named that && tables.equals(that.tables);
        }

        @Override
        public int hashCode() {
            return tables.hashCode();
        }

        /** The names, in the form that {@link JooqOutbox#named} takes. */
        @Override
        public String toString() {
            return tables.toString();
        }
    }
}
