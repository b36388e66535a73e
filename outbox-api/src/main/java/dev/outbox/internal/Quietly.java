package dev.outbox.internal;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs code that must not change the outcome of a message: traces, observations, gauges. A failure of that code is
 * logged, at most once a minute, and goes no further. Those that were not logged are counted. Safe for use by several
 * threads.
 */
public final class Quietly {
    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    private final Logger log;
    private final String text;
    private final AtomicLong next = new AtomicLong(System.nanoTime());
    private final AtomicLong untold = new AtomicLong();

    /**
     * With the name of a logger and the text of its lines.
     *
     * @param text what failed and what it means, without the last full stop; the failure follows it in the log
     */
    public Quietly(String logger, String text) {
        this.log = LoggerFactory.getLogger(logger);
        this.text = text;
    }

    /** Runs it. Whatever it throws, this returns. */
    public void run(Runnable code) {
        try {
            code.run();
        } catch (Throwable e) {
            note(e);
        }
    }

    /** Its result; null if it throws. */
    public <T> @Nullable T get(Supplier<? extends @Nullable T> code) {
        try {
            return code.get();
        } catch (Throwable e) {
            note(e);
            return null;
        }
    }

    private void note(Throwable failure) {
        try {
            long now = System.nanoTime();
            long due = next.get();
            if (now - due >= 0 && next.compareAndSet(due, now + MINUTE)) {
                log.warn("{}. It had failed {} times more since this was last said", text, untold.getAndSet(0), failure);
            } else {
                untold.incrementAndGet();
                log.debug("{}", text, failure);
            }
        } catch (Throwable e) {
            // A lost line is better than a message that is published again.
        }
    }
}
