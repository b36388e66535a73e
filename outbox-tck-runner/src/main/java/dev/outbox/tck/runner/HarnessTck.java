package dev.outbox.tck.runner;

import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;

/** The suite up to level 3, for a harness that is known by its name only. */
public final class HarnessTck extends StoreTck {
    /** For JUnit. */
    public HarnessTck() {}

    @Override
    public StoreHarness harness() {
        return NamedHarness.get();
    }
}
