package dev.outbox.store.jooq.internal;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.ConfigurationException;
import dev.outbox.OutboxException;
import dev.outbox.StoreException;
import dev.outbox.internal.Log;
import dev.outbox.internal.TopicNames;
import dev.outbox.store.jooq.internal.checkout.Checkout;
import dev.outbox.store.jooq.internal.checkout.LowWatermark;
import dev.outbox.store.jooq.internal.checkout.ReadPositions;
import dev.outbox.store.jooq.internal.checkout.TopicSet;
import dev.outbox.store.jooq.internal.close.JdbcBatch;
import dev.outbox.store.jooq.internal.close.SignsOfLife;
import dev.outbox.store.jooq.internal.connection.BorrowedConnection;
import dev.outbox.store.jooq.internal.connection.Connections;
import dev.outbox.store.jooq.internal.connection.ReadOnly;
import dev.outbox.store.jooq.internal.connection.ServerAwayException;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.LastAnswer;
import dev.outbox.store.jooq.internal.operations.JdbcOperations;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.schema.StoreErrors;
import dev.outbox.store.jooq.internal.wakeup.WakeUpListener;
import dev.outbox.store.support.GuardedStore;
import dev.outbox.store.support.OutcomeBatch;
import dev.outbox.store.support.PartitionRotation;
import dev.outbox.store.support.Surroundings;
import dev.outbox.store.support.TopicSets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The store on a SQL database: what its checkouts know in common, and its open batches. */
public final class JdbcStore extends GuardedStore {
    private static final Log LOG = Log.of(JdbcStore.class);

    private static final String DEAF =
            "the databases offer none that is cheap: NOTIFY makes PostgreSQL commit one transaction after the"
                    + " other, so it has to be asked for, by the option wakeUp=true; call relay.wakeUp()"
                    + " after a commit in the same process";

    /**
     * How long closing the store waits for batches that are being closed, and for servers that must release the
     * others.
     */
    private static final long CLOSING_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Connections connections;
    private final Dialect dialect;
    private final int lockKey;
    private final ReadPositions readPositions = new ReadPositions();
    private final LowWatermark lowWatermark;
    private final TopicSets<Optional<TopicSet>> topicSets = new TopicSets<>(this::topicSetOf, none -> {});
    private final Set<JdbcBatch> open = ConcurrentHashMap.newKeySet();
    private final @Nullable WakeUpListener listener;
    private final Capabilities capabilities;
    private final SignsOfLife signsOfLife;
    private final Surroundings<Connection, SQLException> surroundings;

    JdbcStore(
            Connections connections,
            Dialect dialect,
            int lockKey,
            boolean findsById,
            @Nullable String withoutHolders,
            SqlOptions options,
            @Nullable WakeUpListener listener) {
        this(
                connections,
                dialect,
                lockKey,
                findsById,
                withoutHolders,
                options,
                listener,
                new Surroundings<>(connection -> dialect.on(connection).unfit(connection, options.oneNode())));
    }

    private JdbcStore(
            Connections connections,
            Dialect dialect,
            int lockKey,
            boolean findsById,
            @Nullable String withoutHolders,
            SqlOptions options,
            @Nullable WakeUpListener listener,
            Surroundings<Connection, SQLException> surroundings) {
        super(new JdbcOperations(connections, dialect, surroundings));
        this.surroundings = surroundings;
        this.connections = connections;
        this.dialect = dialect;
        this.lockKey = lockKey;
        this.listener = listener;
        this.capabilities = capabilities(dialect, findsById, withoutHolders, listener != null);
        this.lowWatermark = new LowWatermark(dialect, lockKey, options.strictOrder());
        this.signsOfLife = SignsOfLife.of(open);
    }

    @Override
    protected OutcomeBatch take(Set<String> topics, int limit) {
        TopicSet topicSet = topicSets.of(topics).orElse(null);
        if (topicSet == null) {
            return new JdbcBatch(dialect, readPositions, List.of(), null, LastAnswer.now(), batch -> {});
        }
        if (!open.isEmpty()) {
            topicSet.noteContention();
        }
        BorrowedConnection borrowed = borrow();
        requireSurroundings(borrowed);
        JdbcBatch batch;
        try {
            LastAnswer asked = LastAnswer.now(); // a sleep between the answer and here would hide the loss of the hold
            List<HeldPartition> held = new Checkout(topicSet, borrowed, limit).run();
            if (held.isEmpty()) {
                borrowed.close();
                return new JdbcBatch(dialect, readPositions, held, null, asked, closing -> {});
            }
            batch = new JdbcBatch(dialect, readPositions, held, borrowed, asked, open::remove);
            open.add(batch);
        } catch (SQLException e) {
            throw failed(borrowed, e);
        } catch (RuntimeException e) {
            borrowed.markBroken();
            borrowed.close();
            throw e instanceof OutboxException ? e : StoreErrors.unexpected("A checkout", e);
        } catch (Error e) {
            borrowed.markBroken();
            borrowed.close();
            throw e;
        }
        if (isClosed()) {
            // close() may have missed it
            lose(batch, System.nanoTime() + CLOSING_NANOS);
        }
        return batch;
    }

    /** A connection on which they are refused is sound. */
    private void requireSurroundings(BorrowedConnection borrowed) {
        try {
            surroundings.require(borrowed.connection());
        } catch (SQLException e) {
            throw failed(borrowed, e);
        } catch (RuntimeException e) {
            borrowed.close();
            throw e;
        } catch (Error e) {
            borrowed.markBroken();
            borrowed.close();
            throw e;
        }
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    private static Capabilities capabilities(
            Dialect dialect, boolean findsById, @Nullable String withoutHolders, boolean wakesUp) {
        Capabilities capabilities = Capabilities.all();
        if (!wakesUp) {
            capabilities = capabilities.without(Capability.WAKE_UP, DEAF);
        }
        if (!findsById) {
            capabilities = capabilities.without(
                    Capability.FINDING,
                    dialect.sql("outbox_message had no index on message_id when the store was opened, for which every"
                            + " message costs a little more. If you want it: " + dialect.createIndex()
                            + " outbox_message_id ON outbox_message (message_id)"));
        }
        if (withoutHolders != null) {
            capabilities = capabilities.without(Capability.HOLDERS, withoutHolders);
        }
        return capabilities;
    }

    @Override
    protected Subscription subscribe(Runnable woken) {
        if (listener == null) {
            throw new ConfigurationException("This store has no wake-ups: " + DEAF);
        }
        return listener.subscribe(woken);
    }

    @Override
    public void close() {
        markClosed();
        if (listener != null) {
            listener.close();
        }
        long deadline = System.nanoTime() + CLOSING_NANOS;
        open.forEach(batch -> lose(batch, deadline));
        open.clear();
        signsOfLife.close();
        connections.close();
    }

    /** If one cannot be ended, all others are. */
    private static void lose(JdbcBatch batch, long deadline) {
        try {
            batch.lose(deadline);
        } catch (RuntimeException | Error e) {
            LOG.warn("[OUTBOX-216] A batch that was open when its store was closed could not be ended.", e);
        }
    }

    /** Empty if none of the topics has a name that a message could have. */
    private Optional<TopicSet> topicSetOf(Set<String> topics) {
        List<String> possible =
                topics.stream().filter(TopicNames::isName).sorted().toList();
        return possible.isEmpty()
                ? Optional.empty()
                : Optional.of(new TopicSet(
                        dialect,
                        lockKey,
                        possible,
                        new PartitionRotation<>(TopicSet.PACE),
                        readPositions,
                        lowWatermark));
    }

    private BorrowedConnection borrow() {
        try {
            return connections.borrow();
        } catch (ServerAwayException e) {
            requireOpen();
            throw new StoreException("Getting a connection failed. None can be made: " + e.getMessage(), e);
        } catch (SQLException e) {
            requireOpen();
            throw new StoreException(
                    "Getting a connection failed. If the server is well, the pool is too small. This store uses "
                            + connections.inUse() + " connections, " + open.size() + " of them for open batches"
                            + poolSize()
                            + ". A relay needs one for each worker and three more, and while publishers hang, one for each"
                            + " topic that hangs and eight more. Publishers that use the pool need theirs: raise the size of your pool. "
                            + e.getMessage(),
                    e);
        } catch (RuntimeException e) {
            requireOpen();
            throw StoreErrors.unexpected("Getting a connection", e);
        }
    }

    /** The largest size of the pool, if the pool tells it. */
    private String poolSize() {
        try {
            int most = connections.most();
            return most == 0 ? "" : ", and the pool makes at most " + most;
        } catch (SQLException | RuntimeException e) {
            return "";
        }
    }

    private OutboxException failed(BorrowedConnection borrowed, SQLException e) {
        try (borrowed) {
            if (dialect.isReadOnly(e)) {
                readPositions.forgetAll(); // the next connection may be to another server
                return ReadOnly.failure("A checkout", borrowed, dialect, e);
            }
            if (StoreErrors.isLost(borrowed.connection(), e)) {
                readPositions.forgetAll();
                borrowed.markBroken();
            }
        }
        return StoreErrors.of("A checkout", dialect, e);
    }
}
