package dev.outbox.tck.memory;

import dev.outbox.DeadLetter;
import dev.outbox.HoldLostException;
import dev.outbox.PendingMessage;
import dev.outbox.StoreException;
import dev.outbox.spi.Outcome;
import dev.outbox.store.memory.internal.Session;
import dev.outbox.tck.memory.MemoryOutboxServer.Connection;
import dev.outbox.tck.memory.Wire.Request;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A session over a connection to a {@link MemoryOutboxServer}. The holds live on the server, as long as the connection or
 * their lease. After the end of a connection there is a next one.
 */
final class RemoteSession implements Session {
    private final String address;
    private final List<Subscription> subscriptions = new CopyOnWriteArrayList<>();
    private final Map<Long, Held> holds = new ConcurrentHashMap<>();
    private final AtomicLong lastHold = new AtomicLong();
    private final @Nullable Leases leases;
    private Connection connection;
    private volatile boolean closed;

    /** A hold, by the number that it has on the server's side of its connection. */
    private record Held(Connection connection, long number) {}

    RemoteSession(String address) throws IOException {
        this.address = address;
        this.connection = new Connection(address);
        int lease = address.indexOf(MemoryOutboxServer.LEASE);
        this.leases = lease < 0
                ? null
                : new Leases(
                        Duration.ofMillis(Long.parseLong(address.substring(lease + MemoryOutboxServer.LEASE.length()))),
                        this::renew);
    }

    private boolean renew(long hold) {
        Held held = holds.get(hold);
        return held != null
                && held.connection().isOpen()
                && ask(
                        held.connection(),
                        Request.RENEW,
                        out -> out.writeLong(held.number()),
                        DataInputStream::readBoolean);
    }

    @Override
    public Checkout checkout(Set<String> topics, int limit) {
        long asked = System.nanoTime();
        Connection current = connection();
        Checkout checkout = ask(
                current,
                Request.CHECKOUT,
                out -> {
                    Wire.writeList(out, topics, Wire::writeText);
                    out.writeInt(limit);
                },
                in -> new Checkout(in.readLong(), Wire.readList(in, Wire::readPersisted)));
        long hold = lastHold.incrementAndGet();
        if (!checkout.messages().isEmpty()) {
            holds.put(hold, new Held(current, checkout.hold()));
            if (leases != null) {
                leases.add(hold, asked);
            }
        }
        return new Checkout(hold, checkout.messages());
    }

    @Override
    public void settle(long hold, List<Outcome> outcomes) {
        if (leases != null) {
            leases.remove(hold);
        }
        Held held = holds.remove(hold);
        if (held == null || !held.connection().isOpen()) {
            throw new HoldLostException(
                    "The connection ended while the batch was open. Nothing of the batch took effect;"
                            + " its messages come again.");
        }
        ask(
                held.connection(),
                Request.SETTLE,
                out -> {
                    out.writeLong(held.number());
                    Wire.writeList(out, outcomes, Wire::writeOutcome);
                },
                in -> true);
    }

    @Override
    public boolean isHeld(long hold) {
        Held held = holds.get(hold);
        return held != null
                && held.connection().isOpen()
                && (leases == null ? isStillThere(hold) : leases.isHeld(hold));
    }

    /** Nobody here hears of it when a connection ends. */
    private boolean isStillThere(long hold) {
        try {
            return renew(hold);
        } catch (StoreException e) {
            return false;
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        subscriptions.forEach(Subscription::close);
        if (leases != null) {
            leases.close();
        }
        closeQuietly(connection);
    }

    @Override
    public Subscription onWakeUp(Runnable listener) {
        WakeUpConnection subscription = new WakeUpConnection(listener);
        subscriptions.add(subscription);
        try {
            subscription.connect();
            return subscription;
        } catch (IOException e) {
            throw new StoreException("No wake-ups from " + address + ": " + e.getMessage(), e);
        }
    }

    /** Listens on a connection of its own, and after its end on the next. */
    private final class WakeUpConnection implements Subscription {
        private final Runnable listener;
        private @Nullable Connection pushes;
        private boolean ended;

        WakeUpConnection(Runnable listener) {
            this.listener = listener;
        }

        synchronized void connect() throws IOException {
            if (!ended) {
                Connection next = new Connection(address);
                pushes = next;
                next.listen(listener, this::connectAgain);
            }
        }

        private void connectAgain() {
            while (!closed && !isEnded()) {
                try {
                    connect();
                    listener.run(); // for what was committed meanwhile
                    return;
                } catch (IOException e) {
                    LockSupport.parkNanos(10_000_000);
                }
            }
        }

        private synchronized boolean isEnded() {
            return ended;
        }

        @Override
        public synchronized void close() {
            ended = true;
            if (pushes != null) {
                closeQuietly(pushes);
            }
        }
    }

    @Override
    public List<Backlog> backlog() {
        return ask(
                Request.BACKLOG,
                out -> {},
                in -> Wire.readList(
                        in,
                        from -> new Backlog(
                                Wire.readText(from), from.readInt(), from.readLong(), Wire.readDuration(from))));
    }

    @Override
    public List<FailingPartition> failingPartitions() {
        return ask(Request.FAILING_PARTITIONS, out -> {}, in -> Wire.readList(in, RemoteSession::readFailing));
    }

    private static FailingPartition readFailing(DataInputStream in) throws IOException {
        return new FailingPartition(
                Wire.readText(in),
                in.readInt(),
                Wire.readText(in),
                in.readInt(),
                Wire.readText(in),
                Wire.readInstant(in));
    }

    @Override
    public boolean retryNow(String topic, int partition) {
        return ask(
                Request.RETRY_NOW,
                out -> {
                    Wire.writeText(out, topic);
                    out.writeInt(partition);
                },
                DataInputStream::readBoolean);
    }

    @Override
    public int retryNow(String topic) {
        return ask(Request.RETRY_TOPIC_NOW, out -> Wire.writeText(out, topic), DataInputStream::readInt);
    }

    @Override
    public int removePending(String topic, int limit) {
        return ask(
                Request.REMOVE_PENDING,
                out -> {
                    Wire.writeText(out, topic);
                    out.writeInt(limit);
                },
                DataInputStream::readInt);
    }

    @Override
    public int movePending(String topic, String toTopic, int toPartitions, int limit) {
        return ask(
                Request.MOVE_PENDING,
                out -> {
                    Wire.writeText(out, topic);
                    Wire.writeText(out, toTopic);
                    out.writeInt(toPartitions);
                    out.writeInt(limit);
                },
                DataInputStream::readInt);
    }

    @Override
    public List<DeadLetterTopic> deadLetterTopics() {
        return ask(
                Request.DEAD_LETTER_TOPICS,
                out -> {},
                in -> Wire.readList(
                        in,
                        from -> new DeadLetterTopic(
                                Wire.readText(from), from.readLong(), Wire.readInstant(from), Wire.readInstant(from))));
    }

    @Override
    public List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit) {
        return ask(
                Request.DEAD_LETTERS,
                out -> {
                    Wire.writeText(out, topic);
                    Wire.writeNullable(out, afterId, Wire::writeText);
                    out.writeInt(limit);
                },
                in -> Wire.readList(in, Wire::readDeadLetter));
    }

    @Override
    public Optional<DeadLetter> deadLetter(String id) {
        return ask(
                Request.DEAD_LETTER,
                out -> Wire.writeText(out, id),
                in -> Optional.ofNullable(Wire.readNullable(in, Wire::readDeadLetter)));
    }

    @Override
    public int redrive(Collection<String> ids) {
        return ask(Request.REDRIVE, out -> Wire.writeList(out, ids, Wire::writeText), DataInputStream::readInt);
    }

    @Override
    public int discard(Collection<String> ids) {
        return ask(Request.DISCARD, out -> Wire.writeList(out, ids, Wire::writeText), DataInputStream::readInt);
    }

    @Override
    public Page pending(String topic, @Nullable Integer partition, @Nullable String after, int limit) {
        return ask(
                Request.PENDING,
                out -> {
                    Wire.writeText(out, topic);
                    Wire.writeNullable(out, partition, DataOutputStream::writeInt);
                    Wire.writeNullable(out, after, Wire::writeText);
                    out.writeInt(limit);
                },
                Wire::readPage);
    }

    @Override
    public Optional<PendingMessage> pending(String id) {
        return ask(
                Request.PENDING_BY_ID,
                out -> Wire.writeText(out, id),
                in -> Optional.ofNullable(Wire.readNullable(in, Wire::readPending)));
    }

    @Override
    public List<Holder> holders() {
        return ask(Request.HOLDERS, out -> {}, in -> Wire.readList(in, Wire::readHolder));
    }

    private synchronized Connection connection() {
        if (!connection.isOpen() && !closed) {
            try {
                connection = new Connection(address);
            } catch (IOException e) {
                throw new StoreException(address + " does not answer: " + e.getMessage(), e);
            }
        }
        return connection;
    }

    private <T> T ask(Request request, Connection.Body body, Wire.Reader<T> answer) {
        return ask(connection(), request, body, answer);
    }

    private <T> T ask(Connection asked, Request request, Connection.Body body, Wire.Reader<T> answer) {
        try {
            return asked.ask(request, body, answer);
        } catch (IOException e) {
            throw new StoreException(
                    request + " at " + address + " failed, or its answer was lost: " + e.getMessage(), e);
        }
    }

    private static void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (IOException e) {
            // It is of no use any more, and the server notices.
        }
    }
}
