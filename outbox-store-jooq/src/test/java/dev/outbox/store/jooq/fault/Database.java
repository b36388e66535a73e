package dev.outbox.store.jooq.fault;

import dev.outbox.servers.Clock;
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

    KillableServer ownServer() throws Exception;

    /** One that goes by a clock. */
    KillableServer ownServer(Clock clock) throws Exception;

    /** How often the server has resolved a deadlock, as far as it counts. */
    long deadlocks(String url) throws SQLException;

    /** Ends all sessions in the database but the asking one, as an administrator would. */
    void endSessions(Connection administrator) throws SQLException;
}
