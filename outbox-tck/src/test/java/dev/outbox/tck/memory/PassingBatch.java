package dev.outbox.tck.memory;

import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A batch that passes everything on, to be wrong in one place. */
class PassingBatch implements MessageBatch {
    private final MessageBatch real;

    PassingBatch(MessageBatch real) {
        this.real = real;
    }

    @Override
    public List<PersistedMessage> messages() {
        return real.messages();
    }

    @Override
    public boolean isHeld() {
        return real.isHeld();
    }

    @Override
    public void markPublished(PersistedMessage message, @Nullable String publishId) {
        real.markPublished(message, publishId);
    }

    @Override
    public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
        real.markFailed(message, reason, retryAfter);
    }

    @Override
    public void deadLetter(PersistedMessage message, String reason) {
        real.deadLetter(message, reason);
    }

    @Override
    public void close() {
        real.close();
    }
}
