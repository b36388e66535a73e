package dev.outbox.store.memory.internal;

import dev.outbox.Browsing;
import dev.outbox.Finding;
import dev.outbox.Holders;
import dev.outbox.Operations;
import dev.outbox.PersistedMessage;
import dev.outbox.WakeUps;
import dev.outbox.spi.Outcome;
import java.util.List;
import java.util.Set;

/**
 * One client's connection to an outbox. The holds of its batches end with it, or with their lease. Safe for use by
 * several threads.
 */
public interface Session extends Operations, Browsing, Finding, Holders, WakeUps, AutoCloseable {
    /** Messages that were taken, and the number under which this session holds them. */
    record Checkout(long hold, List<PersistedMessage> messages) {}

    /** Takes partitions that are ready, and at most {@code limit} of their messages. */
    Checkout checkout(Set<String> topics, int limit);

    /** Applies the outcomes and ends the hold, or throws and changes nothing. */
    void settle(long hold, List<Outcome> outcomes);

    /** False once the session is closed or known to be broken, or the lease of the hold may have run out. */
    boolean isHeld(long hold);

    @Override
    void close();
}
