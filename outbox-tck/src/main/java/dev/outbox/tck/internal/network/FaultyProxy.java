package dev.outbox.tck.internal.network;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Stands between clients and a server, and does to their connections what networks do. Safe for use by several threads.
 *
 * <p>What one side sends arrives in pieces, as they are read here; small requests and answers are a piece each. Nothing
 * is sent on after a fault has struck, so that the two sides cannot have different ideas of what came before it.
 */
public final class FaultyProxy implements AutoCloseable {
    private static final int PIECE = 64 * 1024;

    /** How often to look, while everything is stalled, whether it flows again. */
    private static final long BETWEEN_LOOKS = 2_000_000;

    /** Which way something goes. */
    public enum Direction {
        /** From a client to the server. */
        REQUESTS,
        /** From the server to a client. */
        REPLIES
    }

    /**
     * How a connection is treated.
     *
     * @param delayNanos how long every piece is kept back
     * @param piece the most bytes that are sent on at a time
     * @param fault the fault that happens to it, or null
     */
    public record Treatment(
            long delayNanos, int piece, @Nullable Fault fault) {
        public static final Treatment NONE = new Treatment(0, PIECE, null);
    }

    /** Swallows a piece that goes one way, and cuts the connection. */
    public static final class Fault {
        private final Direction direction;
        private final AtomicInteger left;
        private volatile boolean struck;

        /** Lets {@code pass} pieces through, and swallows the next one. */
        public Fault(Direction direction, int pass) {
            this.direction = direction;
            this.left = new AtomicInteger(pass);
        }

        /** Whether it has happened. */
        public boolean struck() {
            return struck;
        }

        private boolean strikes(Direction piece) {
            if (piece == direction && !struck && left.getAndDecrement() == 0) {
                struck = true;
                return true;
            }
            return false;
        }
    }

    private final InetSocketAddress server;
    private final ServerSocket listener;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private final AtomicReference<@Nullable Fault> armed = new AtomicReference<>();
    private volatile Supplier<Treatment> treatments = () -> Treatment.NONE;
    private volatile boolean stalled;
    private volatile boolean away;

    /** Starts a proxy on a free port of the loopback interface. */
    public FaultyProxy(InetSocketAddress server) throws IOException {
        this.server = server;
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon("tck-proxy", this::accept);
    }

    public InetSocketAddress address() {
        return new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort());
    }

    /** How connections are treated that are made from now on. */
    public void treat(Supplier<Treatment> each) {
        treatments = each;
    }

    /** From now on, the fault happens to the connection on which the piece comes that it waits for. */
    public void arm(Fault fault) {
        armed.set(fault);
    }

    /** Keeps everything back that is sent, until {@link #flow}. */
    public void stall() {
        stalled = true;
    }

    public void flow() {
        stalled = false;
    }

    /** Resets every connection, at both ends. */
    public void cut() {
        links.forEach(Link::cut);
    }

    /** Resets every connection, at both ends. New connections fail until {@link #comeBack}. */
    public void goAway() {
        away = true;
        cut();
    }

    /**
     * Ends every connection at the server's end, while the clients' ends stay open and silent. New connections
     * fail until {@link #comeBack}.
     */
    public void goAwayInSilence() {
        away = true;
        links.forEach(Link::leaveHalfOpen);
    }

    public void comeBack() {
        away = false;
    }

    @Override
    public void close() throws IOException {
        listener.close();
        cut();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                if (away) {
                    reset(client);
                    continue;
                }
                Socket upstream = new Socket();
                try {
                    upstream.connect(server, 10_000);
                } catch (IOException e) {
                    client.close();
                    continue;
                }
                Link link = new Link(client, upstream, treatments.get());
                links.add(link);
                if (away) {
                    link.cut(); // it went away while we connected
                    continue;
                }
                daemon("tck-proxy-requests", () -> link.pump(Direction.REQUESTS));
                daemon("tck-proxy-replies", () -> link.pump(Direction.REPLIES));
            } catch (IOException e) {
                // closed, or a client that gave up immediately
            }
        }
    }

    /** A connection of a client, and the one to the server that belongs to it. */
    private final class Link {
        private final Socket client;
        private final Socket upstream;
        private final Treatment treatment;
        private volatile boolean ended;

        Link(Socket client, Socket upstream, Treatment treatment) throws IOException {
            this.client = client;
            this.upstream = upstream;
            this.treatment = treatment;
            client.setTcpNoDelay(true);
            upstream.setTcpNoDelay(true);
        }

        void pump(Direction direction) {
            Socket from = direction == Direction.REQUESTS ? client : upstream;
            Socket to = direction == Direction.REQUESTS ? upstream : client;
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                byte[] buffer = new byte[PIECE];
                for (int length; (length = in.read(buffer)) >= 0; ) {
                    if (strikes(direction)) {
                        cut();
                        return;
                    }
                    pass(Arrays.copyOf(buffer, length), out);
                }
                if (!ended) {
                    to.shutdownOutput();
                }
            } catch (IOException e) {
                if (!ended) {
                    cut();
                }
            }
        }

        private boolean strikes(Direction direction) {
            Fault waiting = armed.get();
            return waiting != null && waiting.strikes(direction)
                    || treatment.fault() != null && treatment.fault().strikes(direction);
        }

        private void pass(byte[] bytes, OutputStream out) throws IOException {
            for (int start = 0; start < bytes.length; start += treatment.piece()) {
                if (treatment.delayNanos() > 0) {
                    LockSupport.parkNanos(treatment.delayNanos());
                }
                while (stalled && !ended) {
                    LockSupport.parkNanos(BETWEEN_LOOKS);
                }
                if (ended) {
                    return;
                }
                out.write(bytes, start, Math.min(treatment.piece(), bytes.length - start));
            }
        }

        void cut() {
            ended = true;
            links.remove(this);
            reset(client);
            reset(upstream);
        }

        void leaveHalfOpen() {
            ended = true; // what the client still sends is read and forgotten
            reset(upstream);
        }
    }

    /** Closes with a reset, as when the other machine has gone, and not with a goodbye. */
    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            // closed already
        }
        try {
            socket.close();
        } catch (IOException e) {
            // gone anyway
        }
    }

    private static void daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }
}
