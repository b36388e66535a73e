package dev.outbox.relay;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A store whose behaviour a test changes in one place. */
class WrappedStore implements Store {
    private final Store real;

    WrappedStore(Store real) {
        this.real = real;
    }

    @Override
    public MessageBatch checkout(Set<String> topics, int limit) {
        return real.checkout(topics, limit);
    }

    @Override
    public Capabilities capabilities() {
        return Capabilities.all()
                .without(Capability.WAKE_UP, "the wrapper hides it")
                .without(Capability.OPERATIONS, "the wrapper hides it")
                .without(Capability.BROWSING, "the wrapper hides it")
                .without(Capability.FINDING, "the wrapper hides it")
                .without(Capability.HOLDERS, "the wrapper hides it");
    }

    @Override
    public void close() {
        real.close();
    }

    static class Batch implements MessageBatch {
        private final MessageBatch real;

        Batch(MessageBatch real) {
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
}
