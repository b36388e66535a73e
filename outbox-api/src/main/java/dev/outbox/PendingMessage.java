package dev.outbox;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A message that waits in a store, with what keeps it waiting. A message in an open batch waits, too.
 *
 * @param message the message, exactly as persisted, with its attempts
 * @param reason why it failed last, if it is the message for which its partition waits; else null
 * @param nextAttempt when its partition is, or became, free to be tried again, by the store's clock; null if the
 *     partition is not failing
 */
public record PendingMessage(
        PersistedMessage message,
        @Nullable String reason,
        @Nullable Instant nextAttempt) {}
