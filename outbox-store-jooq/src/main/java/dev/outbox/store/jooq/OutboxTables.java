package dev.outbox.store.jooq;

import dev.outbox.ConfigurationException;
import dev.outbox.MisuseException;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.exception.DetachedException;
import org.jspecify.annotations.Nullable;

/**
 * The tables of one outbox, by their names, with everything that {@link JooqOutbox} does on those with the default names.
 * For applications that have several outboxes in a database, or rules for the names of their tables.
 *
 * <pre>{@code
 * OutboxTables shop = OutboxTables.of("shop.events_");
 * shop.createSchema(dataSource);              // shop.events_message, shop.events_partition, …
 * Outbox.bind(placed, shop.persist(tx)).publish(new OrderPlaced(id));
 * Store store = Stores.open(url, StoreOptions.defaults().with(JooqOutbox.TABLES, "shop.events_"));
 * }</pre>
 *
 * Outboxes with different names never meet. Immutable, and equal to those of the same names; safe for use by several
 * threads.
 */
public final class OutboxTables {
    static final OutboxTables DEFAULT = new OutboxTables(Names.DEFAULT);

    private final Names names;
    private final JdbcPersist writing;

    private OutboxTables(Names names) {
        this.names = names;
        this.writing = new JdbcPersist(names);
    }

    /**
     * Tables whose names begin with a prefix: {@code outbox_message}, {@code outbox_partition}, {@code outbox_dead_letter}
     * and {@code outbox_schema} have the default one, {@code outbox_}. Indexes are called accordingly.
     *
     * @param names a prefix such as {@code events_}, or a schema (MySQL and MariaDB: a database) and a prefix such as {@code
     *     shop.events_}; plain identifiers of the characters {@code A-Z a-z 0-9 _} that do not begin with a digit, the
     *     prefix of at most 40 characters and the schema of at most 63. They are sent without quotes, so the database takes
     *     them for upper or lower case as it does with any name, and a schema must not be called by a word that it
     *     reserves. Without a schema, the tables are found as the connection finds any unqualified name
     * @throws ConfigurationException if the names have another form
     */
    public static OutboxTables of(String names) {
        return new OutboxTables(Names.of(names));
    }

    /** As {@link JooqOutbox#persist(DSLContext)}. */
    public PersistFunc persist(DSLContext tx) {
        return in(work -> {
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

    /** As {@link JooqOutbox#persist(Configuration)}. */
    public PersistFunc persist(Configuration tx) {
        return persist(tx.dsl());
    }

    /** As {@link JooqOutbox#persist(Connection)}. */
    public PersistFunc persist(Connection tx) {
        return in(work -> work.apply(tx));
    }

    /** As {@link JooqOutbox#persist(Supplier)}. */
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
                throw new MisuseException("The supplier of the current transaction's connection returned null, so there"
                        + " is no transaction that the message could share: begin one first.");
            }
            return work.apply(connection);
        });
    }

    /** Lends the connection of a transaction. */
    private interface Transaction {
        List<String> lend(Function<Connection, List<String>> work);
    }

    private PersistFunc in(Transaction transaction) {
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
     * As {@link JooqOutbox#store}.
     *
     * @throws ConfigurationException also if the option {@value JooqOutbox#TABLES} has other names
     */
    public Store store(DataSource pool, StoreOptions options) {
        String others = options.get(JooqOutbox.TABLES);
        if (others != null && !Names.of(others).equals(names)) {
            throw new ConfigurationException("The option " + JooqOutbox.TABLES + " is '" + others
                    + "', and the store is" + " to be opened on the tables " + names + ": leave the option away.");
        }
        return Opening.store(pool, options.with(JooqOutbox.TABLES, names.toString()));
    }

    /** As {@link JooqOutbox#ddl}. */
    public String ddl(SQLDialect dialect) {
        return Scripts.ddl(dialect(dialect));
    }

    /** As {@link JooqOutbox#upgradeDdl}. */
    public String upgradeDdl(SQLDialect dialect, int fromVersion) {
        return Scripts.upgrade(dialect(dialect), fromVersion);
    }

    /** As {@link JooqOutbox#wakeUpDdl}. */
    public String wakeUpDdl(SQLDialect dialect) {
        if (dialect.family() != SQLDialect.POSTGRES) {
            throw new ConfigurationException(
                    "wakeUp=listen is for PostgreSQL alone; expected SQLDialect.POSTGRES instead of " + dialect + ".");
        }
        return NotifyTrigger.ddl(dialect(dialect));
    }

    private Dialect dialect(SQLDialect dialect) {
        return Opening.dialect(d -> d.jooq().family() == dialect.family(), "SQL dialect " + dialect)
                .named(names);
    }

    /** As {@link JooqOutbox#createSchema}. The schema that the names say, if they do, must be there. */
    public void createSchema(DataSource pool) {
        try (Connection connection = pool.getConnection()) {
            boolean autoCommit = connection.getAutoCommit();
            Dialect dialect = Opening.dialect(connection).named(names);
            try {
                Schema.create(connection, dialect);
            } catch (SQLException e) {
                throw Failures.opening("Creating the tables of the outbox", dialect, e);
            } finally {
                connection.setAutoCommit(autoCommit);
            }
        } catch (SQLException e) {
            throw new StoreException(Failures.text("Creating the tables of the outbox", e), e);
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof OutboxTables that && names.equals(that.names);
    }

    @Override
    public int hashCode() {
        return names.hashCode();
    }

    /** The names, as {@link #of} takes them. */
    @Override
    public String toString() {
        return names.toString();
    }
}
