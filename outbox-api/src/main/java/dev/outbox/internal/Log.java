package dev.outbox.internal;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the lines of this library. A text from {@link #info} upwards begins with an id such as {@code [OUTBOX-101]},
 * which {@code docs/WHEN-THINGS-GO-WRONG.md} explains. What stands for <code>{}</code> is put on one line, because a
 * line break in a text of others would let them write lines of their own. What a logger throws changes nothing. Safe
 * for use by several threads.
 */
public final class Log {
    private final Logger logger;
    private final @Nullable Map<String, Budget> budgets;
    private final LongSupplier nanoTime;

    private Log(Logger logger, @Nullable Map<String, Budget> budgets, LongSupplier nanoTime) {
        this.logger = logger;
        this.budgets = budgets;
        this.nanoTime = nanoTime;
    }

    /** With the name of a type. */
    public static Log of(Class<?> type) {
        return of(type.getName());
    }

    /** With this name. */
    public static Log of(String name) {
        return new Log(LoggerFactory.getLogger(name), null, System::nanoTime);
    }

    /**
     * The same, for lines that may come with every message or round: of each text it writes ten lines a minute, and
     * counts the others, since they would otherwise fill the disk.
     */
    public Log sparing() {
        return sparing(System::nanoTime);
    }

    Log sparing(LongSupplier clock) {
        return new Log(logger, new ConcurrentHashMap<>(), clock);
    }

    /** The details may end with a failure, whose stack trace follows. */
    public void debug(String text, @Nullable Object... details) {
        try {
            if (logger.isDebugEnabled()) {
                logger.debug(text, onOneLine(details));
            }
        } catch (Throwable e) {
            // Losing a line is better than losing what goes on here.
        }
    }

    /** The details may end with a failure, whose stack trace follows. */
    public void info(String text, @Nullable Object... details) {
        write(logger::info, text, details);
    }

    /**
     * The details may end with a failure, whose stack trace follows. Returns false if the line was left out to spare
     * the log.
     */
    public boolean warn(String text, @Nullable Object... details) {
        return write(logger::warn, text, details);
    }

    /** The details may end with a failure, whose stack trace follows. */
    public void error(String text, @Nullable Object... details) {
        write(logger::error, text, details);
    }

    private boolean write(Line line, String text, @Nullable Object[] details) {
        try {
            long now = nanoTime.getAsLong();
            long more = budgets == null
                    ? 0
                    : budgets.computeIfAbsent(text, absent -> new Budget(now)).take(now);
            if (more < 0) {
                debug(text, details);
                return false;
            }
            line.write(text, onOneLine(details));
            if (more > 0) {
                logger.warn(
                        "[OUTBOX-002] {} more lines {} were not logged, to spare the log; those of single messages are"
                                + " told to listeners",
                        more,
                        text.substring(0, text.indexOf(']') + 1));
            }
            return true;
        } catch (Throwable e) {
            return false; // Losing a line is better than losing what goes on here.
        }
    }

    private static @Nullable Object[] onOneLine(@Nullable Object[] details) {
        @Nullable Object[] shown = new @Nullable Object[details.length];
        for (int i = 0; i < details.length; i++) {
            Object detail = details[i];
            shown[i] = detail == null || detail instanceof Throwable && i == details.length - 1
                    ? detail
                    : onOneLine(detail);
        }
        return shown;
    }

    private static String onOneLine(Object detail) {
        try {
            return onOneLine(detail.toString());
        } catch (Throwable e) { // foreign code
            return detail.getClass().getName();
        }
    }

    /** With a space for each character that could begin a line, or hide or forge what a terminal shows. */
    private static String onOneLine(String text) {
        StringBuilder line = new StringBuilder(text);
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
                line.setCharAt(i, ' ');
            }
        }
        return line.toString();
    }

    @FunctionalInterface
    private interface Line {
        void write(String text, @Nullable Object[] details);
    }

    /** Of one text. */
    private static final class Budget {
        private static final int MOST = 10;
        private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

        private long since;
        private int written;
        private long left;

        Budget(long now) {
            since = now;
        }

        /** How many were left out before this one, which may be written; or -1 if it may not. */
        synchronized long take(long now) {
            if (now - since > MINUTE) {
                since = now;
                written = 0;
            }
            if (written == MOST) {
                left++;
                return -1;
            }
            written++;
            long more = left;
            left = 0;
            return more;
        }
    }
}
