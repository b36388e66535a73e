package dev.outbox.relay;

import static dev.outbox.relay.RelayLog.LOG;

import dev.outbox.OutboxException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Logs when the store begins to fail a worker and when it is back, instead of every failure between, and of one that
 * comes and goes not more than once a minute. Used by one thread.
 */
final class StoreHealth {
    private static final long SILENCE = TimeUnit.MINUTES.toNanos(1);

    private boolean failing;
    private boolean told;
    private boolean everTold;
    private long toldAt;
    private int untold;

    void saw(@Nullable OutboxException error) {
        if (error == null) {
            if (failing && told) {
                LOG.info("[OUTBOX-102] The store works again");
            }
            failing = false;
            return;
        }
        if (failing) {
            LOG.debug("The store still fails", error);
            return;
        }
        failing = true;
        long now = System.nanoTime();
        told = !everTold || now - toldAt > SILENCE;
        if (told) {
            everTold = true;
            toldAt = now;
            LOG.warn(
                    "[OUTBOX-101] The store failed; trying again with growing pauses of up to 10 s. It had failed {}"
                            + " times more since this was last said",
                    untold,
                    error);
            untold = 0;
        } else {
            untold++;
            LOG.debug("The store failed again", error);
        }
    }
}
