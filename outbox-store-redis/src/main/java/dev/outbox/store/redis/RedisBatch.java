package dev.outbox.store.redis;

import static java.util.Objects.requireNonNull;

import dev.outbox.HoldLostException;
import dev.outbox.PersistedMessage;
import dev.outbox.StoreException;
import dev.outbox.spi.Outcome;
import dev.outbox.store.support.LeaseClock;
import dev.outbox.store.support.OutcomeBatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A batch under a lease. While it is open, {@link LeaseRenewer} renews the lease. When the process is paused or cut
 * off, others take the partitions once the lease is over, and the script that closes finds a token that is not that of
 * this batch.
 */
final class RedisBatch extends OutcomeBatch {
    private static final String DOING = "Closing a batch";

    // What the script that closes answers.
    private static final long LOST = 0;
    private static final long DONE = 1;
    private static final long SOME_MISSING = 2;
    private static final long MORE_TO_DO = 4;
    private static final long KEPT = 5;
    private static final long KNOCKED = 6;

    /** No longer than publishers would wait for anything else. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final RetryingClient client;
    private final @Nullable Hold hold;
    private final Duration lease;
    private final Duration trusted;
    private final Sequel sequel;
    private volatile LeaseClock renewed;
    private volatile boolean lost;

    /** Set once: by the close, or because the store was closed before. */
    private final AtomicBoolean ended = new AtomicBoolean();

    /** The caller was told that it is not held, and a renewal that comes late does not make that untrue. */
    private volatile boolean doubted;

    /** What comes after a batch. */
    interface Sequel {
        /** The batch is about to be closed. */
        void closing(RedisBatch batch);

        /**
         * All messages of the batch were published.
         *
         * @param renewed when its lease was asked for
         * @return what is to be sent instead of the usual, or null
         */
        Checkout.@Nullable Next next(Hold hold, LeaseClock renewed);

        /** Others have found all held. */
        void knocked();

        /**
         * It was closed, well or not; if {@code next} holds its partitions now, these are the answers to what it read.
         */
        void closed(Checkout.@Nullable Next next, List<Object> replies);

        /** Nothing more is done for the batch. */
        void ended(RedisBatch batch);
    }

    /** @param hold what it holds, or null if it is empty */
    RedisBatch(RetryingClient client, @Nullable Hold hold, Duration lease, Sequel sequel) {
        super(messages(hold));
        this.client = client;
        this.hold = hold;
        this.lease = lease;
        this.trusted = trusted(lease);
        this.sequel = sequel;
        this.renewed = hold == null ? LeaseClock.now() : hold.since;
    }

    private static List<PersistedMessage> messages(@Nullable Hold hold) {
        List<PersistedMessage> messages = new ArrayList<>(hold == null ? 0 : hold.messages());
        if (hold != null) {
            for (HeldPartition held : hold.partitions) {
                for (StreamEntry entry : held.entries) {
                    messages.add(entry.message(held.partition, held.attempts(entry)));
                }
            }
        }
        return messages;
    }

    /**
     * For how long the hold is believed in without an answer of the server, from before it was asked: three quarters of
     * what it was asked for. The clocks of two machines go at different speeds, by some percent while one of them is
     * being set right, and the caller of isHeld needs a moment to act on the answer. There are two renewals in that
     * time.
     */
    private static Duration trusted(Duration lease) {
        return lease.multipliedBy(3).dividedBy(4);
    }

    @Override
    public boolean isHeld() {
        if (!outcomes.isOpen()) {
            return false;
        }
        boolean held = hold == null || !lost && !ended.get() && renewed.isWithin(trusted);
        if (!held) {
            doubted = true;
        }
        return held && !doubted;
    }

    @Nullable
    Hold hold() {
        return hold;
    }

    /**
     * Renews the lease before the batch is handed out, if taking and reading took so long that it may run out before
     * the first renewal.
     *
     * @throws StoreException if others have taken partitions meanwhile; who called it releases the rest
     */
    void refresh() {
        if (hold == null || hold.since.isWithin(lease.dividedBy(2))) {
            return;
        }
        LeaseClock asked = LeaseClock.now();
        byte[] millis = KeySpace.bytes(Long.toString(lease.toMillis()));
        boolean renewing;
        try {
            renewing = Reply.number(client.call(hold.keySpace, hold.renew(hold.partitions, millis))) == 1;
        } catch (RuntimeException e) {
            throw StoreErrors.of("A checkout", e);
        }
        if (!renewing || !asked.isWithin(trusted)) {
            throw new StoreException("A checkout took longer than the lease of " + lease.toMillis()
                    + " ms, and so nothing of it is handed out. Its messages will be; but if this happens again, the server or"
                    + " the way to it is too slow for the option leaseMillis: raise it.");
        }
        renewed = asked;
    }

    /** The server has confirmed the hold in an answer to what was asked at that moment. */
    void noteRenewed(LeaseClock asked) {
        renewed = asked;
    }

    /** The server says that the hold is gone. */
    void noteLost() {
        lost = true;
    }

    /**
     * Ends the hold because the store is being closed. Waits for nothing: a close that has begun may wait for its
     * server. Returns what is to be released; null if a close has begun, or the hold has ended.
     */
    @Nullable
    Hold lose() {
        if (hold == null || lost || !ended.compareAndSet(false, true)) {
            return null;
        }
        lost = true;
        return hold;
    }

    /** Waits for a close that has begun. */
    synchronized void awaitClose() {
        // the thread that closes has the monitor
    }

    /** Tries to free partitions now. If it fails, they are free when the lease has run out. */
    static void release(RetryingClient client, Hold hold) {
        try {
            hold.dropAhead();
            if (!hold.asked.isEmpty()) {
                client.tell(hold.keySpace, List.of(hold.release(hold.asked)));
            }
        } catch (Throwable e) { // whatever it is, the lease runs out
            return;
        }
    }

    private boolean isWhole() {
        for (int i = 0; i < messages().size(); i++) {
            if (!(outcomes.at(i) instanceof Outcome.Published)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public synchronized void close() {
        if (!outcomes.close()) {
            return;
        }
        sequel.closing(this);
        try {
            if (hold != null) {
                close(hold);
            }
        } finally {
            sequel.ended(this);
        }
    }

    private void close(Hold hold) {
        if (!ended.compareAndSet(false, true) || lost) {
            release(client, hold); // others may have taken one partition of several
            throw new HoldLostException(
                    DOING + " failed: its store was closed, or its lease ran out while the process was"
                            + " paused or cut off, and others have its partitions. Nothing of it took effect; its messages will"
                            + " be handed out again.");
        }
        Checkout.Next next = isWhole() ? next(hold) : null;
        if (next == null) {
            hold.dropAhead();
        }
        RetryingClient.Answers answers =
                send(next == null ? List.of(BatchCloser.close(hold, outcomes)) : next.commands());
        long done = number(answers);
        boolean repeated = answers.repeated();
        List<Object> replies = answers.replies();
        sequel.closed(done == KEPT ? next : null, replies.subList(1, replies.size()));
        if (done == KNOCKED) {
            sequel.knocked();
        }
        if (done == MORE_TO_DO || done == KNOCKED) {
            answers = send(List.of(BatchCloser.close(hold, outcomes)));
            done = number(answers);
            repeated |= answers.repeated();
        }
        for (int again = 0; done == SOME_MISSING && again < 3; again++) {
            answers = send(List.of(BatchCloser.close(hold, outcomes, stillThere(hold))));
            done = number(answers);
            repeated |= answers.repeated();
        }
        if (done == DONE || done == KEPT) {
            return;
        }
        release(client, hold);
        if (done == LOST && repeated) {
            throw new StoreException(
                    DOING + " was not confirmed, and meanwhile others have taken its partitions: either"
                            + " all its outcomes took effect or none. Messages that were published may be handed out again.");
        }
        throw new HoldLostException(DOING + " failed: "
                + (done == LOST
                        ? "its lease ran out, because the process was paused or cut off for longer than "
                                + lease.toMillis() + " ms, and others have its partitions"
                        : "other messages are where it had read its own, because the server was replaced by one that did"
                                + " not have them, or they are being deleted by hand")
                + ". Nothing of it took effect; its messages will be handed out again.");
    }

    /** What is wrong with the next batch is not to keep this one from being closed. */
    private Checkout.@Nullable Next next(Hold hold) {
        try {
            return sequel.next(hold, renewed);
        } catch (Throwable e) { // whatever it is, such as a lack of memory: the next checkout will say
            return null;
        }
    }

    /**
     * If a command after the close meets trouble, the close must not be sent again: it may be others' turn by then.
     */
    private RetryingClient.Answers send(List<Command> commands) {
        Hold held = requireNonNull(hold);
        try {
            return client.send(held.keySpace, commands, 1, PATIENCE, held.takeAhead());
        } catch (RuntimeException e) {
            throw unconfirmed(e);
        }
    }

    private static StoreException unconfirmed(RuntimeException e) {
        return new StoreException(
                DOING
                        + " was not confirmed: either all its outcomes took effect or none. Messages that were published"
                        + " may be handed out again. " + StoreErrors.describe(e),
                e);
    }

    private long number(RetryingClient.Answers answers) {
        try {
            return Reply.number(answers.replies().get(0));
        } catch (RuntimeException e) {
            release(client, requireNonNull(hold)); // the server has refused it, and others need not wait for the lease
            throw StoreErrors.of(DOING, e);
        }
    }

    /** Some were deleted by hand, or are lost with a server; what is at their positions now may be other messages. */
    private Set<StreamEntry> stillThere(Hold hold) {
        Set<StreamEntry> there = Collections.newSetFromMap(new IdentityHashMap<>());
        for (HeldPartition held : hold.partitions) {
            try {
                for (Command read : held.readAgain()) {
                    there.addAll(held.among(Reply.list(client.call(hold.keySpace, read))));
                }
            } catch (RuntimeException e) {
                throw unconfirmed(e);
            }
        }
        return there;
    }
}
