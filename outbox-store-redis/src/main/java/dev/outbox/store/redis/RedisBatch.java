package dev.outbox.store.redis;

import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import dev.outbox.StoreException;
import dev.outbox.spi.BatchOutcomes;
import dev.outbox.spi.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A batch under a lease. While it is open, {@link Leases} renews the lease; when the process is paused or cut off, others take
 * the partitions once it has run out, and the script that closes finds a token that is not this batch's.
 */
final class RedisBatch implements MessageBatch {
    private static final String DOING = "Closing a batch";

    /** No longer than publishers would wait for anything else. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Link link;
    private final @Nullable Hold hold;
    private final Duration lease;
    private final BatchOutcomes outcomes;
    private final Sequel sequel;
    private volatile Moment renewed;
    private volatile boolean lost;

    /** What comes after a batch. */
    interface Sequel {
        /**
         * The batch is about to be closed.
         *
         * @param whole whether all of its messages are settled with it
         * @return what is to be sent with it, or null
         */
        Checkout.@Nullable Next closing(RedisBatch batch, boolean whole);

        /** It was closed, well or not, and these are the answers to what was sent with it. */
        void closed(Checkout.@Nullable Next next, List<Object> replies);
    }

    /** @param hold what it holds, or null if it is empty */
    RedisBatch(Link link, @Nullable Hold hold, Duration lease, Sequel sequel) {
        this.link = link;
        this.hold = hold;
        this.lease = lease;
        this.sequel = sequel;
        this.renewed = hold == null ? Moment.now() : hold.asked;
        List<PersistedMessage> messages = new ArrayList<>();
        if (hold != null) {
            for (Held held : hold.partitions) {
                for (Entry entry : held.entries) {
                    messages.add(entry.message(held.partition, held.attempts(entry)));
                }
            }
        }
        this.outcomes = new BatchOutcomes(messages);
    }

    @Override
    public List<PersistedMessage> messages() {
        return outcomes.messages();
    }

    @Override
    public boolean isHeld() {
        return outcomes.isOpen() && (hold == null || !lost && renewed.isWithin(lease));
    }

    @Override
    public void markPublished(PersistedMessage message, @Nullable String publishId) {
        outcomes.published(message, publishId);
    }

    @Override
    public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
        outcomes.failed(message, reason, retryAfter);
    }

    @Override
    public void deadLetter(PersistedMessage message, String reason) {
        outcomes.deadLettered(message, reason);
    }

    @Nullable
    Hold hold() {
        return hold;
    }

    /** The server has confirmed the hold in an answer to what was asked at that moment. */
    void noteRenewed(Moment asked) {
        renewed = asked;
    }

    /** The server says that the hold is gone. */
    void noteLost() {
        lost = true;
    }

    /** Ends the hold because the store is being closed. Waits for a close that has begun. */
    synchronized void lose() {
        if (hold != null && outcomes.isOpen() && !lost) {
            lost = true;
            release(link, hold);
        }
    }

    /** Frees at once what would be free when the lease has run out: worth a try, and no more. */
    static void release(Link link, Hold hold) {
        for (Held held : hold.partitions) {
            try {
                link.call(hold.place, Settling.release(hold, List.of(held)));
            } catch (RuntimeException e) {
                return;
            }
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
        Checkout.Next next = sequel.closing(this, hold != null && !lost && isWhole());
        if (hold == null) {
            return;
        }
        if (lost) {
            release(link, hold); // others may have taken one partition of several
            throw new HoldLostException(
                    DOING + " failed: its store was closed, or its lease ran out while the process was"
                            + " paused or cut off, and others have its partitions. Nothing of it took effect; its messages will"
                            + " be handed out again.");
        }
        Link.Answers answers;
        try {
            List<Command> commands = new ArrayList<>();
            commands.add(Settling.close(hold, outcomes));
            if (next != null) {
                commands.addAll(next.commands());
            }
            // If the rest meets trouble, the close must not be sent again: it may be others' turn by then.
            answers = link.send(hold.place, commands, 1, PATIENCE);
        } catch (RuntimeException e) {
            throw new StoreException(
                    DOING
                            + " was not confirmed: either all its outcomes took effect or none. Messages that were published"
                            + " may be handed out again. " + Failures.describe(e),
                    e);
        }
        long done;
        try {
            done = Reply.number(answers.replies().get(0));
        } catch (RuntimeException e) {
            throw Failures.of(DOING, e);
        }
        sequel.closed(next, answers.replies().subList(1, answers.replies().size()));
        if (done == 1) {
            return;
        }
        release(link, hold);
        if (answers.repeated()) {
            throw new StoreException(
                    DOING + " was not confirmed, and meanwhile others have taken its partitions: either"
                            + " all its outcomes took effect or none. Messages that were published may be handed out again.");
        }
        throw new HoldLostException(DOING
                + " failed: its lease ran out, because the process was paused or cut off for longer"
                + " than " + lease.toMillis() + " ms, and others have its partitions. Nothing of it took effect; its"
                + " messages will be handed out again.");
    }
}
