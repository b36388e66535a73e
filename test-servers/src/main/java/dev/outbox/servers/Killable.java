package dev.outbox.servers;

import java.io.IOException;

/** A server of a test's own, which may be killed and paused. */
public interface Killable extends AutoCloseable {
    /** Kills the server, as a power cut would, except that the system keeps what was written to its files. */
    void kill() throws Exception;

    /** Starts a killed server again, with the data it had, at the address it had; returns when it takes requests. */
    void restart() throws Exception;

    /** Lets the server stand still, until {@link #resume}. */
    void pause() throws Exception;

    /** Lets a paused server go on. */
    void resume() throws Exception;

    @Override
    void close() throws IOException;
}
