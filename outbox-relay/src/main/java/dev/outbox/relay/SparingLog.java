package dev.outbox.relay;

import static dev.outbox.relay.RelayLog.LOG;

import java.util.concurrent.TimeUnit;

/**
 * Log lines about single messages: ten a minute are written and the others counted, since a broker that is away would
 * otherwise fill the disk. Listeners see all of them. What a logger throws changes nothing. Safe for use by several
 * threads.
 */
final class SparingLog {
    private static final int MOST = 10;
    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    private final String what;
    private long since = System.nanoTime();
    private int written;
    private long left;

    SparingLog(String what) {
        this.what = what;
    }

    void warn(String text, Object... details) {
        try {
            long more = mayWrite();
            if (more >= 0) {
                LOG.warn(text, details);
                if (more > 0) {
                    LOG.warn("{} {} more were not logged, to spare the log; listeners see them", more, what);
                }
            } else {
                LOG.debug(text, details);
            }
        } catch (Throwable e) {
            // Losing a line is better than losing the message's outcome.
        }
    }

    /** How many were left out before this one, which may be written; or -1 if it may not. */
    private synchronized long mayWrite() {
        long now = System.nanoTime();
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
