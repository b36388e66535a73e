package dev.outbox.relay;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.Store;
import dev.outbox.WakeUps;

/** A wrapped store whose wake-ups are the test's. */
abstract class WakingStore extends WrappedStore implements WakeUps {
    WakingStore(Store real) {
        super(real);
    }

    @Override
    public Capabilities capabilities() {
        return Capabilities.all()
                .without(Capability.OPERATIONS, "the wrapper hides it")
                .without(Capability.BROWSING, "the wrapper hides it")
                .without(Capability.FINDING, "the wrapper hides it")
                .without(Capability.HOLDERS, "the wrapper hides it");
    }
}
