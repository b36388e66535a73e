package dev.outbox.servers;

import dev.outbox.processes.Await;
import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The first bytes that a broker says to a client. They show that it serves clients, without a client of its kind. */
final class Greeting {
    private static final int PATIENCE_MILLIS = 5_000;

    private Greeting() {}

    /**
     * Returns when a server answers that has been started just now.
     *
     * @param first what a client has to say before the server speaks
     */
    static void await(String program, Process process, Commands commands, int port, byte... first) throws IOException {
        long deadline = System.nanoTime() + Await.PATIENCE.toNanos();
        while (true) {
            try {
                exchange("127.0.0.1", port, first);
                return;
            } catch (IOException e) {
                if (!process.isAlive() || System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException(program + " did not start: " + commands.tail(), e);
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
            }
        }
    }

    static void exchange(String host, int port, byte... first) throws IOException {
        try (Socket socket = new Socket(host, port)) {
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.getOutputStream().write(first);
            if (socket.getInputStream().read() < 0) {
                throw new IOException("The server ended the connection.");
            }
        }
    }
}
