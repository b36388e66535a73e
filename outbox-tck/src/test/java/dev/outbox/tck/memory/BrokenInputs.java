package dev.outbox.tck.memory;

import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** Stores that take what they should refuse. */
final class BrokenInputs {
    static final List<Broken> ALL = List.of(
            Broken.client("takes a limit of zero for one", store -> new PassingStore(store) {
                        @Override
                        public MessageBatch checkout(Set<String> topics, int limit) {
                            return super.checkout(topics, Math.max(1, limit));
                        }
                    })
                    .breaks("OBX-INPUT-2", "OBX-LIFE-2"),
            Broken.client("takes a negative delay for none", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new PassingBatch(batch) {
                                @Override
                                public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
                                    super.markFailed(
                                            message, reason, retryAfter.isNegative() ? Duration.ZERO : retryAfter);
                                }
                            };
                        }
                    })
                    .breaks("OBX-INPUT-3"));

    private BrokenInputs() {}
}
