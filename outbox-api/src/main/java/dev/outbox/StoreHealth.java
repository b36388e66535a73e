package dev.outbox;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs when the store begins to fail a worker and when it is back, instead of every failure between. Used by one thread. */
final class StoreHealth {
    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);

    private boolean failing;

    void saw(@Nullable OutboxException error) {
        if (error == null) {
            if (failing) {
                LOG.info("The store works again");
            }
        } else if (failing) {
            LOG.debug("The store still fails", error);
        } else {
            LOG.warn("The store failed; trying again with growing pauses of up to 10 s", error);
        }
        failing = error != null;
    }
}
