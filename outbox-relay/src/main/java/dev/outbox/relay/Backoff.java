package dev.outbox.relay;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Pauses that double up to a ceiling, each shortened at random by up to a fifth so that relays do not march in step.
 */
final class Backoff {
    private final long first;
    private final long ceiling;
    private long next;

    Backoff(Duration first, Duration ceiling) {
        this.ceiling = ceiling.toNanos();
        this.first = Math.min(first.toNanos(), this.ceiling);
        this.next = this.first;
    }

    Duration next() {
        long pause = next;
        next = pause > ceiling / 2 ? ceiling : 2 * pause;
        return Duration.ofNanos(pause - ThreadLocalRandom.current().nextLong(pause / 5 + 1));
    }

    void reset() {
        next = first;
    }
}
