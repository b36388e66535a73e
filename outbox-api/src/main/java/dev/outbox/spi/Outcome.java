package dev.outbox.spi;

import dev.outbox.PersistedMessage;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What became of a message of a batch, to be applied when the batch is closed. */
public sealed interface Outcome {
    /** The message it became of. */
    PersistedMessage message();

    /** It was published, and the broker may have named it. */
    record Published(PersistedMessage message, @Nullable String publishId) implements Outcome {}

    /** It failed: one attempt more, and its partition is held until the delay has passed. */
    record Failed(PersistedMessage message, String reason, Duration retryAfter) implements Outcome {}

    /** It was given up: one attempt more, and it moves to the dead letters. */
    record DeadLettered(PersistedMessage message, String reason) implements Outcome {}

    /** An operator has removed it: it is deleted, and was not published. */
    record Removed(PersistedMessage message) implements Outcome {}

    /**
     * An operator has moved it: it is deleted, and written to the end of another partition, with the same id and no
     * attempts.
     */
    record Moved(PersistedMessage message, String topic, int partition) implements Outcome {}
}
