package dev.outbox.store.jooq.fault;

import dev.outbox.servers.Clock;
import dev.outbox.servers.KillableServer;
import java.sql.Connection;
import java.sql.SQLException;

/** One of the databases that the store supports, as far as faults on it differ. */
interface Database {
    /** What the summaries call it. */
    String label();

    /** URL of an empty database on the server that all tests share. */
    String create() throws Exception;

    /** Removes what {@link #create} made. */
    void drop(String url) throws Exception;

    /** One that goes by a clock. */
    KillableServer ownServer(Clock clock) throws Exception;

    /**
     * Whether a transaction takes effect as a whole or not at all even if the process of the database is killed, which no
     * store can make up for.
     */
    default boolean isAtomicWhenKilled() {
        return true;
    }

    /** How often the server has resolved a deadlock, as far as it counts. */
    long deadlocks(String url) throws SQLException;

    /** Ends all sessions in the database but the asking one, as an administrator would. */
    void endSessions(Connection administrator) throws SQLException;
}
