package dev.outbox.relay;

import java.time.Duration;

/** The clock that a relay's pauses and memories go by; tests let it run faster. */
final class Time {
    private final int speed;
    private final long origin = System.nanoTime();

    Time(int speed) {
        this.speed = speed;
    }

    /** As {@link System#nanoTime}. */
    long nanos() {
        return (System.nanoTime() - origin) * speed;
    }

    /** How long something of this length takes by {@link System#nanoTime}. */
    long real(Duration duration) {
        return duration.toNanos() / speed;
    }
}
