package dev.outbox.processes;

import java.io.IOException;
import java.net.Socket;

/** What everything needs that stands between a client and a server. */
public final class Sockets {
    /** Work on a connection, which ends when one of its sides is gone. */
    public interface Work {
        /** Does it. */
        void run() throws IOException;
    }

    private Sockets() {}

    /** Starts work on a thread that does not keep the JVM alive. */
    public static void start(String name, Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException e) {
                        // one side is gone
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }

    /** Closes so that the other side sees a connection that was reset, and not an orderly end. */
    public static void reset(Socket socket) {
        try {
            if (!socket.isClosed()) {
                socket.setSoLinger(true, 0);
                socket.close();
            }
        } catch (IOException e) {
            // gone already
        }
    }
}
