package dev.outbox.relay;

import static dev.outbox.relay.RelayLog.LOG;

import dev.outbox.OutboxException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Logs when the store begins to fail a worker and when it is back, instead of every failure between, and of one that
 * comes and goes not more than once a minute. An outage that was not told for this reason, and lasts, is told when the
 * minute is over. Used by one thread.
 */
final class StoreHealth {
    private static final long SILENCE = TimeUnit.MINUTES.toNanos(1);

    private final LongSupplier nanoTime;
    private boolean failing;
    private boolean told;
    private boolean everTold;
    private long toldAt;
    private int untold;

    StoreHealth() {
        this(System::nanoTime);
    }

    StoreHealth(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    void saw(@Nullable OutboxException error) {
        if (error == null) {
            if (failing && told) {
                LOG.info("[OUTBOX-102] The store works again");
            } else if (failing) {
                untold++;
            }
            failing = false;
            told = false;
            return;
        }
        failing = true;
        long now = nanoTime.getAsLong();
        if (told || everTold && now - toldAt <= SILENCE) {
            LOG.debug("The store still fails", error);
            return;
        }
        told = true;
        everTold = true;
        toldAt = now;
        LOG.warn(
                "[OUTBOX-101] The store failed; trying again with growing pauses of up to 10 s. It had failed {}"
                        + " times more since this was last said",
                untold,
                error);
        untold = 0;
    }
}
