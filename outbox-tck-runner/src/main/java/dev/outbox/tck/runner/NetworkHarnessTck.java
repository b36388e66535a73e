package dev.outbox.tck.runner;

import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;

/** The whole suite, for a harness that is known by its name only. */
public final class NetworkHarnessTck extends NetworkTck {
    /** For JUnit. */
    public NetworkHarnessTck() {}

    @Override
    public NetworkHarness harness() {
        return (NetworkHarness) NamedHarness.get();
    }
}
