package dev.outbox.servers;

import dev.outbox.processes.Sockets;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The network between a client and a server, to be cut, stalled and slowed down at will. Carries any number of
 * connections; what is said of the network holds for all of them, those made later included. Safe for use by several
 * threads.
 */
public final class TcpProxy implements AutoCloseable {
    private static final Pattern ADDRESS = Pattern.compile("//(?:[^/@]*@)?([^/:?;@]+):(\\d+)");

    /** When a connection is cut that carries what was waited for. */
    public enum Moment {
        /** The server never gets it. */
        BEFORE_DELIVERY,
        /** The server has done it and answered, and the client never gets the answer. */
        BEFORE_ANSWER
    }

    /** What is waited for. */
    private record Trap(Pattern request, Moment moment) {}

    private final String address;
    private final String host;
    private final int port;
    private final ServerSocket listener;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private final AtomicReference<@Nullable Trap> trap = new AtomicReference<>();
    private final AtomicInteger sprung = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private volatile boolean closed;
    private volatile boolean refusing;
    private volatile long delayNanos;

    // Guarded by this.
    private boolean stalled;

    private TcpProxy(String address, String host, int port) throws IOException {
        this.address = address;
        this.host = host;
        this.port = port;
        this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Sockets.start("proxy", this::accept);
    }

    /** Stands before the server that a URL names, which must have a port in it. */
    public static TcpProxy before(String url) throws IOException {
        Matcher address = ADDRESS.matcher(url);
        if (!address.find()) {
            throw new IllegalArgumentException("No //host:port in the URL.");
        }
        return new TcpProxy(address.group(), address.group(1), Integer.parseInt(address.group(2)));
    }

    /** A URL of the server, led through here. */
    public String route(String url) {
        return url.replace(address, address.substring(0, address.lastIndexOf(host)) + "127.0.0.1:" + port());
    }

    /** Where it listens, on this machine. */
    public int port() {
        return listener.getLocalPort();
    }

    /** Ends all connections, as a router that forgets them: both sides are told that the other is gone. */
    public void cut() {
        links.forEach(Link::cut);
    }

    /** From now on nothing gets through, and nobody is told. Connections can still be made. */
    public synchronized void stall() {
        stalled = true;
    }

    /** Ends all connections, and each new one when it is made, until {@link #heal}: as when the server is away. */
    public void refuse() {
        refusing = true;
        cut();
    }

    /** How many new connections were ended by {@link #refuse}. */
    public int refused() {
        return refused.get();
    }

    /** Ends {@link #stall}: what was sent meanwhile arrives now. Ends {@link #refuse}, too. */
    public synchronized void heal() {
        refusing = false;
        stalled = false;
        notifyAll();
    }

    /**
     * From now on nothing gets through on the connections that there are, and no side is told, not even when one of
     * them closes its end: a router that forgets them does the same. New connections work. What systems find out by
     * asking whether the other side is still there, they do not find out here; see {@link #tellServer}.
     */
    public void forget() {
        links.forEach(link -> link.forgotten = true);
    }

    /** The server sees that what was forgotten has ended. */
    public void tellServer() {
        links.stream().filter(link -> link.forgotten).forEach(link -> Sockets.reset(link.server));
    }

    /** How many connections there are that clients have not closed. */
    public int connections() {
        return (int) links.stream().filter(link -> !link.client.isClosed()).count();
    }

    /** How long everything takes to get through, in each direction; zero at first. */
    public void delay(Duration delay) {
        delayNanos = delay.toNanos();
    }

    /**
     * Cuts the connection on which a client next sends something in which this is found; once. A byte is a character.
     * It assumes that a client sends a request in one piece, and waits for the answer.
     */
    public void cutAtNext(Pattern request, Moment moment) {
        trap.set(new Trap(request, moment));
    }

    /** How often {@link #cutAtNext} has found what it waited for and cut the connection. */
    public int sprung() {
        return sprung.get();
    }

    @Override
    public void close() throws IOException {
        closed = true;
        listener.close();
        cut();
        heal();
    }

    private void accept() {
        while (!closed) {
            Socket client;
            try {
                client = listener.accept();
            } catch (IOException e) {
                return; // closed
            }
            if (refusing) {
                refused.incrementAndGet();
                Sockets.reset(client);
                continue;
            }
            try {
                Link link = new Link(client, new Socket(host, port));
                links.add(link);
                if (refusing) {
                    link.cut(); // the other thread may have cut all before it was among them
                    continue;
                }
                Sockets.start("proxy-requests", link::carryRequests);
                Sockets.start("proxy-answers", link::carryAnswers);
            } catch (IOException e) {
                Sockets.reset(client); // the server is away
            }
        }
    }

    /** One connection of a client, and the one to the server that was made for it. */
    private final class Link {
        private final Socket client;
        private final Socket server;
        private volatile boolean answerIsAwaited;
        private volatile boolean ended;
        private volatile boolean forgotten;

        Link(Socket client, Socket server) throws IOException {
            this.client = client;
            this.server = server;
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
        }

        void carryRequests() {
            carry(client, server, true);
        }

        void carryAnswers() {
            carry(server, client, false);
        }

        private void carry(Socket from, Socket to, boolean requests) {
            byte[] buffer = new byte[64 * 1024];
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    if (requests ? isCutByRequest(buffer, n) : answerIsAwaited) {
                        sprung.incrementAndGet(); // before anybody can notice
                        cut();
                        return;
                    }
                    passNetwork();
                    if (ended) {
                        return; // what a stalled network holds when it is cut is lost
                    }
                    if (!forgotten) {
                        out.write(buffer, 0, n);
                    }
                }
            } catch (IOException e) {
                // one side is gone; the other learns it below
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            if (forgotten) {
                Sockets.reset(from);
            } else {
                cut();
            }
        }

        /** Whether to cut now. A cut at the answer is noted before the server can give the answer. */
        private boolean isCutByRequest(byte[] buffer, int length) {
            Trap set = trap.get();
            if (set == null
                    || !set.request()
                            .matcher(new String(buffer, 0, length, StandardCharsets.ISO_8859_1))
                            .find()
                    || !trap.compareAndSet(set, null)) {
                return false;
            }
            answerIsAwaited = set.moment() == Moment.BEFORE_ANSWER;
            return !answerIsAwaited;
        }

        private void passNetwork() throws InterruptedException {
            if (delayNanos > 0) {
                LockSupport.parkNanos(delayNanos);
            }
            synchronized (TcpProxy.this) {
                while (stalled && !ended) {
                    TcpProxy.this.wait();
                }
            }
        }

        void cut() {
            ended = true;
            links.remove(this);
            Sockets.reset(client);
            Sockets.reset(server);
            synchronized (TcpProxy.this) {
                TcpProxy.this.notifyAll();
            }
        }
    }
}
