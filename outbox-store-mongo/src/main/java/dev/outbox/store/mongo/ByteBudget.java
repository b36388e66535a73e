package dev.outbox.store.mongo;

/**
 * How much a batch may hold, in addition to its one message: closing it has to fit into one transaction, even if all of
 * it dies, and the relay's memory is bounded. Confined to one thread.
 */
final class ByteBudget {
    static final long BYTES = 16L << 20;

    private long left = BYTES;

    void spend(long bytes) {
        left -= bytes;
    }

    boolean isSpent() {
        return left <= 0;
    }

    void renew() {
        left = BYTES;
    }
}
