package dev.outbox.relay;

import dev.outbox.OutboxException;
import org.jspecify.annotations.Nullable;

/**
 * What one round of a {@link Relay} did.
 *
 * @param published how many messages the broker took; some or all may come again if there is also a store error
 * @param failed how many it did not take, those given up included
 * @param storeError what the store failed with, or null
 */
public record RoundResult(
        int published, int failed, @Nullable OutboxException storeError) {
    /** Whether the round met any message. */
    public boolean metMessages() {
        return published + failed > 0;
    }
}
