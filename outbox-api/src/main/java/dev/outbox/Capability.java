package dev.outbox;

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
            "with more than one relay or worker, messages of one partition may be published out of order"),

    /** The store implements {@link Operations}. Rules OBX-OPS-1 and following. */
    OPERATIONS("backlog, failing partitions and dead letters cannot be seen or repaired through it"),

    /** The store implements {@link Browsing}. Rules OBX-BROWSE-1 and following. */
    BROWSING("the messages that wait cannot be listed through it"),

    /** The store implements {@link Finding}. Rule OBX-FIND-1. */
    FINDING("a message that waits cannot be found by its id through it"),

    /** The store implements {@link Holders}. Rule OBX-HOLD-1. */
    HOLDERS("it does not say which client holds which partition"),

    /** The store implements {@link WakeUps}. Rule OBX-WAKE-1. */
    WAKE_UP("messages committed by other processes are found by polling alone"),

    /**
     * Several transactions with messages can be open at the same time. Without it, one transaction that has written a
     * message keeps other writers and all relays waiting until it ends, as on a database with one writer. Rule
     * OBX-TX-7.
     */
    CONCURRENT_TRANSACTIONS("one open transaction with messages keeps other writers and relays waiting");

    private final String loss;

    Capability(String loss) {
        this.loss = loss;
    }

    /** What the users of a store without this capability give up, as half a sentence. */
    public String loss() {
        return loss;
    }
}
