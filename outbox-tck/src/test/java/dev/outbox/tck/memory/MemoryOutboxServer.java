package dev.outbox.tck.memory;

import dev.outbox.DeadLetter;
import dev.outbox.HoldLostException;
import dev.outbox.MisuseException;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.DeadLetterTopic;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.OutboxException;
import dev.outbox.Store;
import dev.outbox.WakeUps;
import dev.outbox.store.memory.internal.LocalSession;
import dev.outbox.store.memory.internal.LocalTransaction;
import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.store.memory.internal.MemoryStore;
import dev.outbox.store.memory.internal.Session;
import dev.outbox.tck.WriteTransaction;
import dev.outbox.tck.memory.Wire.Request;
import dev.outbox.tck.memory.Wire.Status;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * Serves outboxes in memory to other processes of this machine, so that they can be tested with clients that are killed.
 * A client whose connection ends loses its holds and its open transaction, as with a database session; one that does not
 * renew its leases loses its holds, too. Safe for use by several threads.
 */
public final class MemoryOutboxServer implements Closeable {
    /** Begins the end of an address whose holds are leases: their length in milliseconds follows. */
    static final String LEASE = "?lease=";

    private static final int CONNECT_TIMEOUT_MILLIS = 10_000;

    private final ServerSocket listener;
    private final Map<String, MemoryState> outboxes = new ConcurrentHashMap<>();
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private volatile boolean dead;

    /**
     * Starts a server on a free port of the loopback interface.
     *
     * @throws IOException if there is none
     */
    public MemoryOutboxServer() throws IOException {
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon("memory-outbox-server", this::accept);
    }

    /**
     * Ends all connections and lets no more live, as if the process were killed. Holds end with their connections, and so do
     * open transactions. Whoever waits for an answer cannot know what became of it.
     */
    void kill() throws IOException {
        dead = true;
        while (!connections.isEmpty()) {
            for (Socket connection : connections) {
                connection.close();
            }
            LockSupport.parkNanos(100_000);
        }
    }

    /** Serves again, with what its outboxes have kept. */
    void restart() {
        outboxes.values().forEach(outbox -> {
            if (outbox instanceof Forgetful forgetful) {
                forgetful.crash();
            }
        });
        dead = false;
    }

    /** An outbox that does not keep what it should when its server dies. */
    interface Forgetful {
        /** Makes it what it is after the crash. */
        void crash();
    }

    /** Serves an outbox under a name; returns the address for {@link #open} and {@link #begin}. */
    public String serve(String name, MemoryState outbox) {
        outboxes.put(name, outbox);
        return "memory://" + listener.getInetAddress().getHostAddress() + ":" + listener.getLocalPort() + "/" + name
                + outbox.lease().map(lease -> LEASE + lease.toMillis()).orElse("");
    }

    /** Stops serving an outbox to new connections. */
    public void remove(String name) {
        outboxes.remove(name);
    }

    /** Opens a client of an outbox that is served in any process of this machine. */
    public static Store open(String address) throws IOException {
        return new MemoryStore(new RemoteSession(address));
    }

    /** Begins a transaction on an outbox that is served in any process of this machine. */
    public static WriteTransaction begin(String address) throws IOException {
        return new RemoteTransaction(new Connection(address));
    }

    /** Stops serving and breaks all connections. */
    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket connection : connections) {
            connection.close();
        }
    }

    /** A client's end of a connection: sends a request and waits for its answer. Safe for use by several threads. */
    static final class Connection implements Closeable {
        private final Socket socket;
        private final DataInputStream in;
        private final DataOutputStream out;

        /** Connects, and tells the server which outbox is meant. */
        Connection(String address) throws IOException {
            URI uri = URI.create(address);
            socket = new Socket();
            socket.connect(new InetSocketAddress(uri.getHost(), uri.getPort()), CONNECT_TIMEOUT_MILLIS);
            socket.setTcpNoDelay(true);
            in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
            out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
            Wire.writeText(out, uri.getPath().substring(1));
        }

        interface Body {
            void write(DataOutputStream out) throws IOException;
        }

        synchronized <T> T ask(Request request, Body body, Wire.Reader<T> answer) throws IOException {
            try {
                out.writeUTF(request.name());
                body.write(out);
                out.flush();
                Status status = Status.valueOf(in.readUTF());
                if (status == Status.OK) {
                    return answer.read(in);
                }
                String text = Wire.readText(in);
                switch (status) {
                    case HOLD_LOST -> throw new HoldLostException(text);
                    case MISUSE -> throw new MisuseException(text);
                    default -> throw new IOException(text);
                }
            } catch (IOException e) {
                socket.close();
                throw e;
            }
        }

        /** Calls the listener whenever the server says that something was committed; then what is to be done when the connection ends. */
        void listen(Runnable listener, Runnable ended) throws IOException {
            out.writeUTF(Request.WAKE_UP.name());
            out.flush();
            if (!in.readUTF().equals(Status.OK.name())) {
                throw new IOException("The server refused to send wake-ups: " + Wire.readText(in));
            }
            daemon("memory-outbox-wake-up", () -> {
                try {
                    while (in.readByte() >= 0) {
                        listener.run();
                    }
                } catch (IOException e) {
                    ended.run(); // closed, or the server has gone; polling goes on
                }
            });
        }

        boolean isOpen() {
            return !socket.isClosed();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket socket = listener.accept();
                connections.add(socket);
                if (dead) {
                    socket.close(); // here or there, but never served
                }
                daemon("memory-outbox-connection", () -> serve(socket));
            } catch (IOException e) {
                // closed, or a client that gave up at once
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
            DataOutputStream out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
            String name = Wire.readText(in);
            MemoryState outbox = outboxes.get(name);
            if (outbox == null) {
                throw new IOException("There is no outbox " + name);
            }
            serve(outbox, in, out);
        } catch (IOException e) {
            // The client has gone; what it held was released on the way here.
        } finally {
            connections.remove(socket);
        }
    }

    private static void serve(MemoryState outbox, DataInputStream in, DataOutputStream out) throws IOException {
        try (LocalSession session = new LocalSession(outbox);
                LocalTransaction transaction = new LocalTransaction(outbox)) {
            MemoryRows rows = new MemoryRows(outbox);
            while (true) {
                Request request = Request.valueOf(in.readUTF());
                ByteArrayOutputStream answer = new ByteArrayOutputStream();
                try {
                    answer(request, session, transaction, rows, in, new DataOutputStream(answer), out);
                    out.writeUTF(Status.OK.name());
                    answer.writeTo(out);
                } catch (OutboxException e) {
                    Status status = e instanceof HoldLostException
                            ? Status.HOLD_LOST
                            : e instanceof MisuseException ? Status.MISUSE : Status.FAILED;
                    out.writeUTF(status.name());
                    Wire.writeText(out, String.valueOf(e.getMessage()));
                }
                out.flush();
            }
        }
    }

    private static void answer(
            Request request,
            LocalSession session,
            LocalTransaction transaction,
            MemoryRows rows,
            DataInputStream in,
            DataOutputStream answer,
            DataOutputStream client)
            throws IOException {
        switch (request) {
            case CHECKOUT -> {
                Session.Checkout checkout =
                        session.checkout(new HashSet<>(Wire.readList(in, Wire::readText)), in.readInt());
                answer.writeLong(checkout.hold());
                Wire.writeList(answer, checkout.messages(), Wire::writePersisted);
            }
            case SETTLE -> session.settle(in.readLong(), Wire.readList(in, Wire::readOutcome));
            case RENEW -> answer.writeBoolean(session.renew(in.readLong()));
            case PERSIST -> Wire.writeText(answer, transaction.persistFunc().persist(Wire.readOutgoing(in)));
            case WRITE_ROW -> rows.write(Wire.readText(in));
            case HAS_ROW -> answer.writeBoolean(rows.isThere(Wire.readText(in)));
            case COMMIT -> rows.commit(transaction::commit);
            case ROLLBACK -> transaction.rollback();
            case BACKLOG -> Wire.writeList(answer, session.backlog(), MemoryOutboxServer::writeBacklog);
            case FAILING_PARTITIONS ->
                Wire.writeList(answer, session.failingPartitions(), MemoryOutboxServer::writeFailing);
            case RETRY_NOW -> answer.writeBoolean(session.retryNow(Wire.readText(in), in.readInt()));
            case RETRY_TOPIC_NOW -> answer.writeInt(session.retryNow(Wire.readText(in)));
            case REMOVE_PENDING -> answer.writeInt(session.removePending(Wire.readText(in), in.readInt()));
            case MOVE_PENDING ->
                answer.writeInt(session.movePending(Wire.readText(in), Wire.readText(in), in.readInt(), in.readInt()));
            case DEAD_LETTER_TOPICS ->
                Wire.writeList(answer, session.deadLetterTopics(), MemoryOutboxServer::writeDeadLetterTopic);
            case DEAD_LETTERS ->
                Wire.writeList(
                        answer,
                        session.deadLetters(Wire.readText(in), Wire.readNullable(in, Wire::readText), in.readInt()),
                        Wire::writeDeadLetter);
            case DEAD_LETTER -> {
                Optional<DeadLetter> letter = session.deadLetter(Wire.readText(in));
                Wire.writeNullable(answer, letter.orElse(null), Wire::writeDeadLetter);
            }
            case REDRIVE -> answer.writeInt(session.redrive(Wire.readList(in, Wire::readText)));
            case DISCARD -> answer.writeInt(session.discard(Wire.readList(in, Wire::readText)));
            case PENDING ->
                Wire.writePage(
                        answer,
                        session.pending(
                                Wire.readText(in),
                                Wire.readNullable(in, DataInputStream::readInt),
                                Wire.readNullable(in, Wire::readText),
                                in.readInt()));
            case PENDING_BY_ID ->
                Wire.writeNullable(answer, session.pending(Wire.readText(in)).orElse(null), Wire::writePending);
            case HOLDERS -> Wire.writeList(answer, session.holders(), Wire::writeHolder);
            case WAKE_UP -> sendWakeUps(session, in, client);
        }
    }

    /**
     * Ends when the client closes the connection. Says OK only when it is listening, since the client may commit right
     * after; a wake-up waits until that is said.
     */
    private static void sendWakeUps(WakeUps session, DataInputStream in, DataOutputStream client) throws IOException {
        Runnable send = () -> {
            synchronized (client) {
                try {
                    client.writeByte(1);
                    client.flush();
                } catch (IOException e) {
                    // the client has gone, and the reader below notices
                }
            }
        };
        synchronized (client) {
            session.onWakeUp(send);
            client.writeUTF(Status.OK.name());
            client.flush();
        }
        if (in.read() >= 0) {
            throw new IOException("A client that listens for wake-ups has nothing to say.");
        }
        throw new EOFException("The client has ended its subscription.");
    }

    private static void writeBacklog(DataOutputStream out, Backlog backlog) throws IOException {
        Wire.writeText(out, backlog.topic());
        out.writeInt(backlog.partition());
        out.writeLong(backlog.pending());
        Wire.writeDuration(out, backlog.oldestAge());
    }

    private static void writeFailing(DataOutputStream out, FailingPartition failing) throws IOException {
        Wire.writeText(out, failing.topic());
        out.writeInt(failing.partition());
        Wire.writeText(out, failing.messageId());
        out.writeInt(failing.attempts());
        Wire.writeText(out, failing.reason());
        Wire.writeInstant(out, failing.nextAttempt());
    }

    private static void writeDeadLetterTopic(DataOutputStream out, DeadLetterTopic topic) throws IOException {
        Wire.writeText(out, topic.topic());
        out.writeLong(topic.deadLetters());
        Wire.writeInstant(out, topic.firstDiedAt());
        Wire.writeInstant(out, topic.lastDiedAt());
    }

    private static void daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }
}
