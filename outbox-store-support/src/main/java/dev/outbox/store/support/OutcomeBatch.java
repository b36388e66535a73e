package dev.outbox.store.support;

import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import dev.outbox.spi.BatchOutcomes;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A batch that keeps its marks in {@link BatchOutcomes} until it is closed. How it holds and closes is the store's. */
public abstract class OutcomeBatch implements MessageBatch {
    /** The messages, and what has been marked so far. */
    protected final BatchOutcomes outcomes;

    /** A batch of which nothing is marked. */
    protected OutcomeBatch(List<PersistedMessage> messages) {
        this.outcomes = new BatchOutcomes(messages);
    }

    @Override
    public final List<PersistedMessage> messages() {
        return outcomes.messages();
    }

    @Override
    public final void markPublished(PersistedMessage message, @Nullable String publishId) {
        outcomes.published(message, publishId);
    }

    @Override
    public final void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
        outcomes.failed(message, reason, retryAfter);
    }

    @Override
    public final void deadLetter(PersistedMessage message, String reason) {
        outcomes.deadLettered(message, reason);
    }
}
