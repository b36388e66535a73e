package dev.outbox;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A topic as a relay serves it: how long its publisher takes, and whether its broker is away, in which case the topic is left
 * out of batches for a while, so that it holds up no other. Safe for use by several threads.
 */
final class Route<T> {
    /** From here on a hand-over to another thread costs less than waiting does. */
    private static final long WORTH_A_HELPER = 50_000;

    /** From here on also a publisher that nobody waits behind is left to a helper, so that the hold is looked after meanwhile. */
    private static final long LONG = 20_000_000;

    private static final long CAP = 200_000_000;

    private static final long FIRST_PAUSE = Duration.ofSeconds(1).toNanos();
    private static final long LONGEST_PAUSE = Duration.ofMinutes(1).toNanos();

    final Topic<T> topic;
    private final Time time;

    /** How many helpers are in its publisher; guarded by the {@link Helpers}. */
    int helpers;

    /** A moving average; lost updates do no harm. */
    private volatile long callNanos = -1;

    private volatile boolean out;

    // Guarded by this.
    private long pause;
    private long until;
    private boolean probing;
    private String reason = "";

    Route(Topic<T> topic, Time time) {
        this.topic = topic;
        this.time = time;
    }

    void took(long nanos) {
        long before = callNanos;
        long now = Math.min(nanos, CAP);
        callNanos = before < 0 ? now : before + (now - before) / 8;
    }

    /** Whether its publisher is better called by a helper. One that was never called may be slow, and others would wait for it. */
    boolean isWorthAHelper(boolean othersWait) {
        long nanos = callNanos;
        return othersWait ? nanos < 0 || nanos >= WORTH_A_HELPER : nanos >= LONG;
    }

    boolean isOut() {
        return out;
    }

    /** The broker seems to be away; returns for how long the topic is left out, or null if it was out already. */
    synchronized @Nullable Duration leaveOut(String why) {
        reason = why;
        if (out) {
            return null;
        }
        out = true;
        pause = FIRST_PAUSE;
        until = time.nanos() + pause;
        return Duration.ofNanos(pause);
    }

    /** Whether it is time to see if the broker is back; true for one caller, who then tells what he {@linkplain #probed found}. */
    synchronized boolean isToBeProbed() {
        if (!out || probing || time.nanos() - until < 0) {
            return false;
        }
        probing = true;
        return true;
    }

    /** Ends the probe; returns true if the topic is back by it. */
    synchronized boolean probed(int published, int failed) {
        probing = false;
        if (!out) {
            return false;
        }
        if (published > 0) {
            out = false;
            return true;
        }
        if (failed > 0) {
            pause = Math.min(LONGEST_PAUSE, 2 * pause);
        }
        until = time.nanos() + (failed > 0 ? pause : FIRST_PAUSE);
        return false;
    }

    synchronized RelayState.@Nullable LeftOut state() {
        return out
                ? new RelayState.LeftOut(
                        topic.name(), Instant.now().plusNanos(Math.max(0, until - time.nanos())), reason)
                : null;
    }
}
