package dev.outbox.tck.memory;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.store.memory.internal.MemoryState;
import java.util.List;
import java.util.stream.Stream;

/** All broken stores. */
public final class Zoo {
    /** In the order of the table. */
    public static final List<Broken> ALL = Stream.of(
                    BrokenTransactions.ALL,
                    BrokenWriting.ALL,
                    BrokenHolds.ALL,
                    BrokenLeases.ALL,
                    BrokenOrder.ALL,
                    BrokenCloses.ALL,
                    BrokenRetries.ALL,
                    BrokenDeadLetters.ALL,
                    BrokenOperations.ALL,
                    BrokenListings.ALL,
                    BrokenBrowsing.ALL,
                    BrokenHabits.ALL,
                    BrokenLimits.ALL,
                    BrokenNumbers.ALL,
                    BrokenPayloads.ALL,
                    BrokenLifecycles.ALL,
                    BrokenInputs.ALL,
                    BrokenCrashes.ALL,
                    BrokenFailovers.ALL)
            .flatMap(List::stream)
            .toList();

    /** The store that is not broken, for comparison. */
    public static final Broken SOUND = Broken.outbox("keeps the contract", MemoryState::new)
            .testedFor(Broken.Also.SWEEPS, Broken.Also.CRASHES, Broken.Also.CRASHES_UNDER_LOAD, Broken.Also.FAILOVERS);

    /** One that is not broken either, and whose copy has every write. */
    public static final Broken IN_STEP = Broken.outbox("loses nothing in a failover, and says so", Copies.InStep::new)
            .testedFor(Broken.Also.FAILOVERS);

    /** One that is not broken either, and can do less. */
    public static final Broken ONE_WRITER = Broken.client(
                    "has one writer and says so", () -> new OneWriter(true), store -> new PassingStore(store) {
                        @Override
                        public Capabilities capabilities() {
                            return super.capabilities()
                                    .without(Capability.CONCURRENT_TRANSACTIONS, "whoever writes locks everything");
                        }
                    })
            .testedFor(Broken.Also.THREADS, Broken.Also.SWEEPS);

    /** Those that are not broken. */
    public static final List<Broken> NOT_BROKEN = List.of(SOUND, IN_STEP, ONE_WRITER);

    private Zoo() {}

    static Broken of(String idea) {
        return Stream.concat(ALL.stream(), NOT_BROKEN.stream())
                .filter(broken -> broken.idea().equals(idea))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There is no store that " + idea));
    }
}
