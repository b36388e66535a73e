package dev.outbox;

import org.jspecify.annotations.Nullable;

/**
 * An optional power of a store. Everything that is not listed here is not optional. A store has every capability unless
 * it says, with a reason, that it does without: see {@link Capabilities}.
 */
public enum Capability {
    /**
     * While a batch holds messages of a partition, no other batch gets messages of that partition. Without it, messages
     * are still held exclusively, but with more than one relay or worker the messages of one partition may be
     * published out of order. Rule OBX-ORDER-3.
     */
    PARTITION_EXCLUSIVITY(
            null, "with more than one relay or worker, messages of one partition may be published out of order"),

    /** The store implements {@link Operations}. Rules OBX-OPS-1 and following. */
    OPERATIONS(Operations.class, "backlog, failing partitions and dead letters cannot be seen or repaired through it"),

    /** The store implements {@link WakeUps}. Rule OBX-WAKE-1. */
    WAKE_UP(WakeUps.class, "messages committed by other processes are found by polling alone");

    private final @Nullable Class<?> type;
    private final String loss;

    Capability(@Nullable Class<?> type, String loss) {
        this.type = type;
        this.loss = loss;
    }

    /** What the users of a store without this capability give up, as half a sentence. */
    public String loss() {
        return loss;
    }

    <C> C of(Store store, Class<C> wanted) {
        String reason = store.capabilities().reasonWithout(this);
        if (reason != null) {
            throw new ConfigurationException("This store has no " + this + ": " + reason + ". So " + loss + ".");
        }
        if (!wanted.isInstance(store)) {
            throw new ConfigurationException("This store declares " + this + " but "
                    + store.getClass().getName()
                    + " does not implement " + wanted.getName() + ". A store that does without a capability says so:"
                    + " Capabilities.all().without(Capability." + this + ", reason).");
        }
        return wanted.cast(store);
    }

    /** The interface a store with this capability implements, or null if the capability is a behaviour. */
    public @Nullable Class<?> type() {
        return type;
    }
}
