package dev.outbox.store.mongo;

import com.mongodb.client.ClientSession;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import dev.outbox.spi.BatchOutcomes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A batch holds partitions by leases, and closes by one transaction that asks for its fences first. */
final class MongoBatch implements MessageBatch {
    private final List<Held> held;
    private final Collection<Claim> claims;
    private final @Nullable ClientSession session;
    private final Settlement settlement;
    private final Leases leases;
    private final BatchOutcomes outcomes;
    private final Consumer<MongoBatch> onClose;
    private volatile boolean lost;

    /**
     * @param session that has claimed the partitions, the batch's to close; null if it holds nothing
     */
    MongoBatch(
            List<Held> held,
            Collection<Claim> claims,
            @Nullable ClientSession session,
            Settlement settlement,
            Leases leases,
            Consumer<MongoBatch> onClose) {
        this.held = held;
        this.claims = List.copyOf(claims);
        this.session = session;
        this.settlement = settlement;
        this.leases = leases;
        this.onClose = onClose;
        List<PersistedMessage> messages = new ArrayList<>();
        held.forEach(partition -> partition.messages.forEach(stored -> messages.add(stored.message())));
        this.outcomes = new BatchOutcomes(messages);
    }

    @Override
    public List<PersistedMessage> messages() {
        return outcomes.messages();
    }

    @Override
    public boolean isHeld() {
        return outcomes.isOpen() && !lost && claims.stream().allMatch(Claim::isTrusted);
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

    /** Ends the hold because the store is being closed. Waits for a close that has begun; returns what is to be given back. */
    synchronized Collection<Claim> lose() {
        if (!outcomes.isOpen() || lost) {
            return List.of();
        }
        lost = true;
        if (session != null) {
            session.close();
        }
        return claims;
    }

    @Override
    public synchronized void close() {
        if (!outcomes.close()) {
            return;
        }
        onClose.accept(this);
        if (lost) {
            throw new HoldLostException(
                    "Closing a batch failed: its store was closed before. Nothing of it took effect;"
                            + " its messages will be handed out again.");
        }
        if (session == null) {
            return;
        }
        // Not renewed any more: a renewal and the transaction would get in each other's way. What is left of the leases
        // is long, and if it is not long enough, the fences tell.
        claims.forEach(leases::remove);
        try (session) {
            settlement.apply(session, held, outcomes);
        }
    }
}
