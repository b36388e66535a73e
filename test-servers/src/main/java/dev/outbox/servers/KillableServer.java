package dev.outbox.servers;

/** A database server of a test's own, which may be killed and paused. */
public interface KillableServer extends Killable {
    /** Makes an empty database and returns its JDBC URL. */
    String newDatabase() throws Exception;

    @Override
    void close();
}
