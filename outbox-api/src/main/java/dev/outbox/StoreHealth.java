package dev.outbox;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs when the store begins to fail and when it is back, instead of every failure between. */
final class StoreHealth {
    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);

    private final AtomicBoolean failing = new AtomicBoolean();

    void saw(@Nullable OutboxException error) {
        if (error == null) {
            if (failing.get() && failing.compareAndSet(true, false)) {
                LOG.info("The store works again");
            }
        } else if (failing.compareAndSet(false, true)) {
            LOG.warn("The store failed; trying again with growing pauses of up to 10 s", error);
        } else {
            LOG.debug("The store still fails", error);
        }
    }
}
