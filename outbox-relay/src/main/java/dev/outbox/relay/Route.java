package dev.outbox.relay;

import dev.outbox.Delivery;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A topic as a relay serves it: how long its publisher takes, and whether its broker is away, in which case the topic
 * is left out of batches for a while, so that it holds up no other. Safe for use by several threads.
 */
final class Route<T> {
    /** From here on a hand-over to another thread costs less than waiting does. */
    private static final long WORTH_A_HELPER = 50_000;

    /**
     * From here on a publisher is left to a helper even if no other partition waits for it, so that the hold is looked
     * after meanwhile.
     */
    private static final long LONG = 20_000_000;

    private static final long CAP = 200_000_000;

    /** What makes so little difference is not written, because writing costs more than the quickest publisher takes. */
    private static final long SLIGHT = 1_000;

    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

    final Topic<T> topic;
    private final Time time;
    private final Interceptors interceptors;

    /** How many helpers are in its publisher; guarded by the {@link Helpers}. */
    int helpers;

    /** How many batches wait for its publishers, or may soon; guarded by {@link HangingBatches}. */
    int waiting;

    /** A moving average; lost updates do no harm. */
    private volatile long callNanos = -1;

    private volatile boolean out;

    // Guarded by this.
    private final Backoff pauses = new Backoff(FIRST_PAUSE, LONGEST_PAUSE);
    private long since;
    private long until;
    private @Nullable WorkerRun prober;
    private boolean wasOut;
    private long backSince;
    private String reason = "";

    Route(Topic<T> topic, Time time, Interceptors interceptors) {
        this.topic = topic;
        this.time = time;
        this.interceptors = interceptors;
    }

    boolean isAsynchronous() {
        return topic.asyncPublisher() != null;
    }

    /** What the publisher gets for a stored message; throws what the codec throws. */
    Delivery<T> delivery(PersistedMessage message) throws Exception {
        return new Delivery<>(
                topic.codec().decode(message.payload()),
                message.id(),
                message.topic(),
                message.partition(),
                message.key(),
                message.headers(),
                message.payload(),
                message.attempts() + 1,
                message.createdAt());
    }

    /** Hands a delivery to the synchronous publisher. */
    Receipt publish(Delivery<T> delivery) throws Exception {
        return interceptors.publish(topic, delivery);
    }

    /** Hands a delivery to the asynchronous publisher. */
    CompletionStage<Receipt> start(Delivery<T> delivery) throws Exception {
        return interceptors.start(topic, delivery);
    }

    void took(long nanos) {
        long before = callNanos;
        long now = Math.min(nanos, CAP);
        if (before < 0) {
            callNanos = now;
        } else if (Math.abs(now - before) > SLIGHT) {
            callNanos = before + (now - before) / 8;
        }
    }

    /**
     * Whether its publisher is better called by a helper. One that was never called may be slow, and others would wait
     * for it.
     */
    boolean isWorthAHelper(boolean othersWait) {
        long nanos = callNanos;
        return othersWait ? nanos < 0 || nanos >= WORTH_A_HELPER : nanos >= LONG;
    }

    boolean isOut() {
        return out;
    }

    /**
     * The broker is away, or seems so, by a message that was started at this moment by {@link System#nanoTime}. Returns
     * for how long the topic is left out; null if it was out already, or if the message was started before the topic
     * came back, which says nothing about now.
     */
    synchronized @Nullable Duration leaveOut(String why, long start) {
        if (out) {
            reason = why;
            return null;
        }
        if (wasOut && start - backSince < 0) {
            return null;
        }
        reason = why;
        out = true;
        wasOut = true;
        since = System.nanoTime();
        pauses.reset();
        Duration pause = pauses.next();
        until = time.nanos() + pause.toNanos();
        return pause;
    }

    /** Whether it is time to see if the broker is back, and no run does. */
    synchronized boolean isDue() {
        return out && prober == null && time.nanos() - until >= 0;
    }

    private synchronized long until() {
        return until;
    }

    /** Those that are due, so that one that is always due again keeps no other waiting. */
    static List<Route<?>> longestOverdueFirst(Collection<Route<?>> routes) {
        Map<Route<?>, Long> due = new HashMap<>(); // read once, because a comparison must not change meanwhile
        routes.stream().filter(Route::isDue).forEach(route -> due.put(route, route.until()));
        return due.entrySet().stream()
                .sorted(Map.Entry.comparingByValue())
                .<Route<?>>map(Map.Entry::getKey)
                .toList();
    }

    /** The same as {@link #isDue}; true for one run, which then tells that it {@linkplain #probed did}. */
    synchronized boolean isToBeProbedBy(WorkerRun run) {
        if (!isDue()) {
            return false;
        }
        prober = run;
        return true;
    }

    /**
     * A message was published that was started at this moment by {@link System#nanoTime}; returns whether the topic is
     * back by it. What was started before the topic was left out says nothing about now.
     */
    boolean worked(long start) {
        return out && isBackBy(start);
    }

    private synchronized boolean isBackBy(long start) {
        if (!out || start - since <= 0) {
            return false;
        }
        out = false;
        backSince = System.nanoTime();
        return true;
    }

    /** Ends the probe of a run, unless it was ended before, because it hung; see {@link #pause}. */
    @SuppressWarnings("ReferenceEquality") // runs have no other equality
    synchronized void probed(WorkerRun run, boolean failed, boolean again) {
        if (prober == run) {
            prober = null;
            pause(failed, again);
        }
    }

    /**
     * The pause until the next probe. If the broker is still away, it grows. If there was no message to tell, it is the
     * shortest.
     *
     * @param again whether there is something to be had of the topic without its broker: then there is no pause
     */
    synchronized void pause(boolean failed, boolean again) {
        if (out) {
            long pause = failed ? pauses.next().toNanos() : again ? 0 : FIRST_PAUSE.toNanos();
            until = time.nanos() + pause;
        }
    }

    synchronized RelayState.@Nullable LeftOut state() {
        return out
                ? new RelayState.LeftOut(
                        topic.name(), Instant.now().plusNanos(Math.max(0, until - time.nanos())), reason)
                : null;
    }
}
