package dev.outbox.tck.memory;

import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import java.time.Duration;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A batch whose messages look different from those that were stored. */
class RewrittenBatch extends PassingBatch {
    private final List<PersistedMessage> shown;
    private final IdentityHashMap<PersistedMessage, PersistedMessage> stored = new IdentityHashMap<>();

    RewrittenBatch(MessageBatch real, UnaryOperator<PersistedMessage> rewriting) {
        super(real);
        shown = Collections.unmodifiableList(real.messages().stream()
                .map(message -> {
                    PersistedMessage rewritten = rewriting.apply(message);
                    stored.put(rewritten, message);
                    return rewritten;
                })
                .toList());
    }

    @Override
    public List<PersistedMessage> messages() {
        return shown;
    }

    @Override
    public void markPublished(PersistedMessage message, @Nullable String publishId) {
        super.markPublished(stored.getOrDefault(message, message), publishId);
    }

    @Override
    public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
        super.markFailed(stored.getOrDefault(message, message), reason, retryAfter);
    }

    @Override
    public void deadLetter(PersistedMessage message, String reason) {
        super.deadLetter(stored.getOrDefault(message, message), reason);
    }
}
