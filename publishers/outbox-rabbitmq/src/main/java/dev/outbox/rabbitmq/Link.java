package dev.outbox.rabbitmq;

import com.rabbitmq.client.BlockedCallback;
import com.rabbitmq.client.Connection;
import java.io.IOException;
import java.net.Socket;
import org.jspecify.annotations.Nullable;

/** A connection, whether the broker has blocked it, and the way to end it without asking anybody. */
final class Link {
    private static final int CLOSE_MILLIS = 2_000;

    final Connection connection;
    private final @Nullable Socket socket;
    private volatile @Nullable String blocked;

    Link(Connection connection, @Nullable Socket socket) {
        this.connection = connection;
        this.socket = socket;
        BlockedCallback onBlocked = reason -> blocked = reason;
        connection.addBlockedListener(onBlocked, () -> blocked = null);
    }

    boolean isOpen() {
        return connection.isOpen();
    }

    /** Why the broker reads no messages for now, or null if it does. */
    @Nullable
    String blocked() {
        return blocked;
    }

    /** The largest frame, or 0 if there is no limit. */
    int frameMax() {
        return connection.getFrameMax();
    }

    /**
     * Ends the connection now, and waits for nobody. What this side has not sent yet is thrown away, so that no message
     * goes out that is reported as failed. Threads that write wait no longer.
     */
    void cut() {
        reset(socket);
    }

    /** The same, and waits until the client has put away what belonged to it. */
    void drop() {
        cut();
        close();
    }

    static void reset(@Nullable Socket socket) {
        if (socket == null) {
            return;
        }
        try {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            // it is closed
        }
        try {
            socket.close();
        } catch (IOException e) {
            // it is gone
        }
    }

    /** Ends a connection on which nothing is under way. */
    void close() {
        connection.abort(CLOSE_MILLIS);
    }
}
