package dev.outbox;

import org.jspecify.annotations.Nullable;

/** A message that an asynchronous publisher has and has not answered for. */
final class Flight<T> {
    final Lane<T> lane;
    final PersistedMessage message;
    final long start;
    final long deadline;

    Flight(Lane<T> lane, PersistedMessage message, long start, long deadline) {
        this.lane = lane;
        this.message = message;
        this.start = start;
        this.deadline = deadline;
    }

    /** The answer. */
    record Landing(
            Flight<?> flight,
            @Nullable String publishId,
            @Nullable Throwable failure) {}
}
