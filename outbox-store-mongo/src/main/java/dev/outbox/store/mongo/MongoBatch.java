package dev.outbox.store.mongo;

import com.mongodb.client.ClientSession;
import dev.outbox.HoldLostException;
import dev.outbox.PersistedMessage;
import dev.outbox.spi.Outcome;
import dev.outbox.store.support.OutcomeBatch;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A batch holds partitions by leases, and closes by one transaction that asks for its fences first. */
final class MongoBatch extends OutcomeBatch {
    private final List<HeldPartition> held;
    private final Collection<Hold> holds;
    private final @Nullable ClientSession session;
    private final BatchCloser closer;
    private final LeaseRenewer leaseRenewer;
    private final Sequel sequel;

    /** Set once: by the close, which then uses the session, or because the store was closed before. */
    private final AtomicBoolean ended = new AtomicBoolean();

    /** What comes after a batch. */
    interface Sequel {
        /**
         * The batch is about to be closed.
         *
         * @param held what it holds, if all of its messages are published; or nothing
         * @return what is to have its partitions then, or null
         */
        @Nullable
        Hold closing(MongoBatch batch, List<HeldPartition> held);

        /** Its close has ended, however that was. */
        void ended(MongoBatch batch);

        /** It was closed well, and this has its partitions now. */
        void closed(@Nullable Hold next, ClientSession session);
    }

    /**
     * @param session that has claimed the partitions, the batch's to close; null if it holds nothing
     */
    MongoBatch(
            List<HeldPartition> held,
            Collection<Hold> holds,
            @Nullable ClientSession session,
            BatchCloser closer,
            LeaseRenewer leaseRenewer,
            Sequel sequel) {
        super(messages(held));
        this.held = held;
        this.holds = List.copyOf(holds);
        this.session = session;
        this.closer = closer;
        this.leaseRenewer = leaseRenewer;
        this.sequel = sequel;
    }

    private static List<PersistedMessage> messages(List<HeldPartition> held) {
        List<PersistedMessage> messages = new ArrayList<>();
        held.forEach(partition -> partition.messages.forEach(stored -> messages.add(stored.message())));
        return messages;
    }

    @Override
    public boolean isHeld() {
        return outcomes.isOpen() && !ended.get() && holds.stream().allMatch(Hold::isTrusted);
    }

    /**
     * Ends the hold because the store is being closed. Waits for nothing: a close that has begun may wait for its
     * server for as long as the driver does.
     *
     * @return false if a close has begun, or the hold has ended
     */
    boolean lose() {
        return ended.compareAndSet(false, true);
    }

    /** To be called once, if {@link #lose} has ended the hold. Returns what is to be given back. */
    Collection<Hold> giveBack() {
        if (session != null) {
            session.close();
        }
        return holds;
    }

    /** Waits for a close that has begun. */
    synchronized void awaitClose() {
        // the thread that closes has the monitor
    }

    @Override
    public synchronized void close() {
        if (!outcomes.close()) {
            return;
        }
        try {
            settle();
        } finally {
            sequel.ended(this);
        }
    }

    private void settle() {
        boolean lost = !ended.compareAndSet(false, true);
        Hold next = sequel.closing(this, lost || !isPublished() ? List.of() : held);
        if (lost) {
            throw new HoldLostException(
                    "Closing a batch failed: its store was closed before. Nothing of it took effect;"
                            + " its messages will be handed out again.");
        }
        if (session == null) {
            return;
        }
        // No longer renewed: a renewal and the transaction would get in each other's way. What is left of the leases
        // is long, and if it is not long enough, the fences tell.
        holds.forEach(leaseRenewer::remove);
        boolean closed = false;
        try {
            closer.apply(session, held, outcomes, next);
            sequel.closed(next, session);
            closed = true;
        } finally {
            if (!closed || next == null) {
                session.close();
            }
            if (!closed && next != null) {
                leaseRenewer.abandon(List.of(next)); // whether it was claimed may be open
            }
        }
    }

    private boolean isPublished() {
        for (int i = 0; i < messages().size(); i++) {
            if (!(outcomes.at(i) instanceof Outcome.Published)) {
                return false;
            }
        }
        return true;
    }
}
