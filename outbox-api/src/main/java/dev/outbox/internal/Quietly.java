package dev.outbox.internal;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs code that must not change the outcome of a message: traces, observations, gauges. A failure of that code is
 * logged, ten times a minute at most, and goes no further. Safe for use by several threads.
 */
public final class Quietly {
    private final Log log;
    private final String text;

    /**
     * With the name of a logger and the text of its lines.
     *
     * @param text an id, what failed and what it means; the failure follows it in the log
     */
    public Quietly(String logger, String text) {
        this.log = Log.of(logger).sparing();
        this.text = text;
    }

    /** Runs it. Whatever it throws, this returns. */
    public void run(Runnable code) {
        try {
            code.run();
        } catch (Throwable e) {
            log.warn(text, e);
        }
    }

    /** Its result; null if it throws. */
    public <T> @Nullable T get(Supplier<? extends @Nullable T> code) {
        try {
            return code.get();
        } catch (Throwable e) {
            log.warn(text, e);
            return null;
        }
    }
}
