package dev.outbox.tck.memory;

import dev.outbox.store.memory.internal.MemoryState;
import java.util.List;
import java.util.stream.Stream;

/** All broken stores. */
public final class Zoo {
    /** In the order of the table. */
    public static final List<Broken> ALL = Stream.of(
                    BrokenTransactions.ALL,
                    BrokenHolds.ALL,
                    BrokenLeases.ALL,
                    BrokenOrder.ALL,
                    BrokenCloses.ALL,
                    BrokenRetries.ALL,
                    BrokenDeadLetters.ALL,
                    BrokenOperations.ALL,
                    BrokenListings.ALL,
                    BrokenLimits.ALL,
                    BrokenNumbers.ALL,
                    BrokenPayloads.ALL,
                    BrokenLifecycles.ALL,
                    BrokenInputs.ALL,
                    BrokenCrashes.ALL)
            .flatMap(List::stream)
            .toList();

    /** The store that is not broken, for comparison. */
    public static final Broken SOUND = Broken.outbox("keeps the contract", MemoryState::new)
            .testedFor(Broken.Also.SWEEPS, Broken.Also.CRASHES, Broken.Also.CRASHES_UNDER_LOAD);

    private Zoo() {}

    static Broken of(String idea) {
        return Stream.concat(ALL.stream(), Stream.of(SOUND))
                .filter(broken -> broken.idea().equals(idea))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There is no store that " + idea));
    }
}
