package dev.outbox.store.jooq;

import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.PostgresServer;
import dev.outbox.servers.PostgresVersion;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Databases with the tables of an outbox, used for one outbox after the other: making one takes PostgreSQL longer than many a
 * test of the TCK, which leaves nothing in it but messages. Safe for use by several threads.
 */
final class EmptiedDatabases {
    private final PostgresVersion version;
    private final StoreOptions options;
    private final Deque<String> idle = new ArrayDeque<>();

    /** @param options with which the tables are made */
    EmptiedDatabases(PostgresVersion version, StoreOptions options) {
        this.version = version;
        this.options = options.withCreateSchema(true);
    }

    synchronized String take() throws SQLException {
        if (!idle.isEmpty()) {
            return idle.pop();
        }
        String address = PostgresServer.shared(version).newDatabase();
        Stores.open(address, options).close();
        return address;
    }

    /** Ends whatever is still connected to it, as dropping it would. */
    synchronized void giveBack(String address) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                    + " WHERE datname = current_database() AND pid <> pg_backend_pid()");
            statement.execute("TRUNCATE outbox_message, outbox_partition, outbox_dead_letter RESTART IDENTITY");
        }
        idle.push(address);
    }
}
