package dev.outbox.tck.internal.record;

import dev.outbox.Capability;

/** The rest of a test is about a capability that the store does without, as it says. */
public final class MissingCapability extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Capability capability;

    public MissingCapability(Capability capability) {
        super("the store does without " + capability);
        this.capability = capability;
    }

    /** Which one. */
    public Capability capability() {
        return capability;
    }
}
