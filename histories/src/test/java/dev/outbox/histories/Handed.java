package dev.outbox.histories;

/**
 * A message that a publisher was handed.
 *
 * @param process the relay and its process
 * @param ended when the publisher was done with it, or, if it never was, {@link Long#MAX_VALUE}
 */
record Handed(
        String relay,
        String process,
        String place,
        String id,
        String text,
        int attempt,
        long started,
        long ended,
        End end) {
    /** What became of it. */
    enum End {
        /** The broker took it, and the publisher said so. */
        TAKEN,
        /** The broker took it, and the publisher failed. */
        TAKEN_AND_FAILED,
        /** The broker did not take it. */
        FAILED,
        /** The publisher said nothing: its process was killed, or it never answered. */
        NONE;

        boolean isTaken() {
            return this == TAKEN || this == TAKEN_AND_FAILED;
        }
    }

    Handed ended(long time, End how) {
        return new Handed(relay, process, place, id, text, attempt, started, time, how);
    }
}
