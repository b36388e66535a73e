package dev.outbox.tck;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Capability;
import org.jspecify.annotations.Nullable;

/** The contract holds for many threads of several clients at a time. */
@AtLevel(Level.CONCURRENCY)
interface ConcurrencyRules {
    /** Few partitions and many workers: the same message is wanted by several all the time. */
    @Rule("OBX-EXCL-1")
    default void underContentionNobodySharesAMessage(TestOutbox outbox) throws Exception {
        check(outbox, new Workload(3, 2, 2, 150, 2, outbox.seed()), null);
    }

    /** Many small transactions, of which some are rolled back and some commit late. */
    @Rule("OBX-TX-1")
    default void underContentionNothingIsLostOrInvented(TestOutbox outbox) throws Exception {
        check(outbox, new Workload(2, 2, 4, 120, 5, outbox.seed()), null);
    }

    /** One partition, which everyone wants, so that nearly every pair of messages has an order. */
    @Rule("OBX-ORDER-1")
    default void underContentionAPartitionStaysInOrder(TestOutbox outbox) throws Exception {
        check(outbox, new Workload(2, 2, 2, 120, 1, outbox.seed()), null);
    }

    private static boolean isTelling(History history) {
        return history.failures() > 0 && history.redeliveries() > 0 && history.overlappingBatches() > 0;
    }

    private static History run(TestOutbox outbox, Workload workload, @Nullable Network network) throws Exception {
        if (network != null) {
            NetworkRules.trouble(outbox, network);
        }
        History history = workload.run(outbox, network);
        history.check(TestOutbox.has(outbox.open(), Capability.PARTITION_EXCLUSIVITY));
        return history;
    }

    /** Runs a workload, maybe through a faulty network, and checks what it did. */
    static void check(TestOutbox outbox, Workload workload, @Nullable Network network) throws Exception {
        try {
            History history = run(outbox, workload, network);
            // Where faults fall is left to chance, and may prove nothing.
            for (int again = 0; network != null && again < 4 && !isTelling(history); again++) {
                history = run(outbox, workload, network);
            }
            outbox.saw(history.deliveries(), history.summary());
            assertTrue(history.deliveries() >= 150, "too little happened: " + history.deliveries() + " deliveries");
            // Behind a network with faults less happens at a time.
            int least = network == null ? 5 : 1;
            assertTrue(history.redeliveries() >= least, "too little was repeated: " + history.redeliveries());
            if (network == null) {
                assertTrue(
                        history.failures() * 10 <= history.deliveries(),
                        "nothing was done wrong, but much failed: " + history.failures() + " of "
                                + history.deliveries());
            } else {
                assertTrue(history.failures() > 0, "no fault hit a commit or a close");
            }
            if (workload.partitions() > 1) {
                assertTrue(
                        history.overlappingBatches() >= least,
                        "no contention: only " + history.overlappingBatches() + " batches overlapped another");
            }
            outbox.open().expectNothing("everything was settled", "workload");
        } catch (RuleBroken e) {
            throw new RuleBroken(e.rule(), e.getMessage() + "\n    " + workload);
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "\n    " + workload, e);
        }
    }
}
