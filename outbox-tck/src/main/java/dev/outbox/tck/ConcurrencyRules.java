package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Browsing;
import dev.outbox.Capability;
import dev.outbox.tck.internal.history.History;
import dev.outbox.tck.internal.record.Inconclusive;
import dev.outbox.tck.internal.record.RuleViolation;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.FutureTask;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;
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

    /** Four partitions wait for an hour. Messages are added to them, and others come and go before and after them. */
    @Rule("OBX-BROWSE-2")
    default void whatWaitsIsOnOnePageWhileOthersComeAndGo(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithout(client, Capability.BROWSING)) {
            return;
        }
        List<String> waiting = new ArrayList<>();
        for (int partition = 1; partition < 8; partition += 2) {
            waiting.addAll(outbox.commit(
                    TOPIC,
                    partition,
                    IntStream.range(0, 10).mapToObj(i -> "w" + i).toArray(String[]::new)));
        }
        try (Client.Batch batch = client.await(4)) {
            batch.messages().forEach(m -> batch.fail(m, Duration.ofHours(1)));
        }
        FutureTask<Boolean> working = new FutureTask<>(() -> {
            for (int round = 0; round < 60; round++) {
                try (Writer writer = outbox.begin()) {
                    for (int partition = 0; partition < 9; partition++) {
                        writer.write(TOPIC, partition, "r" + round);
                    }
                    writer.commit();
                }
                client.publishAll(100);
            }
            return true;
        });
        Thread thread = new Thread(working, "tck-rounds");
        thread.setDaemon(true);
        thread.start();
        Browsing browsing = outbox.open().browsing();
        boolean last;
        do {
            last = working.isDone();
            List<String> seen = new ArrayList<>();
            String next = null;
            do {
                Browsing.Page page = browsing.pending(TOPIC, null, next, 7);
                page.messages().forEach(each -> seen.add(each.message().id()));
                next = page.next();
            } while (next != null);
            outbox.saw(seen.size());
            assertEquals(new HashSet<>(seen).size(), seen.size(), "messages on several pages");
            assertEquals(waiting, seen.stream().filter(waiting::contains).toList(), "messages that always waited");
        } while (!last);
        working.get();
    }

    /** A consumer of a message may look for the row that it is about. */
    @Rule("OBX-TX-1")
    default void noMessageComesBeforeItsRow(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        String run = UUID.randomUUID().toString();
        int rows = 40;
        FutureTask<Boolean> writing = new FutureTask<>(() -> {
            for (int i = 0; i < rows; i++) {
                try (Writer writer = outbox.begin()) {
                    String name = run + "-" + i;
                    writer.writeRow(name);
                    writer.write(TOPIC, i % 2, name);
                    writer.commit();
                }
            }
            return true;
        });
        Thread thread = new Thread(writing, "tck-rows");
        thread.setDaemon(true);
        thread.start();
        Set<String> came = new HashSet<>();
        outbox.eventually("all messages come", () -> {
            try (Client.Batch batch = client.checkout(10)) {
                for (String name : batch.texts()) {
                    assertTrue(outbox.hasRow(name), "the message came, and the row is missing: " + name);
                    came.add(name);
                }
                batch.publishAll();
            }
            if (writing.isDone()) {
                writing.get();
            }
            return came.size() == rows ? true : null;
        });
    }

    /**
     * What a run has to show, or it proves nothing.
     *
     * @param cuts how many connections were cut under it, and under those before it that proved nothing
     */
    record Run(Workload workload, History history, boolean network, int cuts) {
        /** Less happens at a time if the network has faults. */
        private int least() {
            return network ? 1 : 5;
        }

        private boolean isContended() {
            return workload.partitions() == 1 || history.overlappingBatches() >= least();
        }

        /** A client that tries again by itself hides faults; then that connections were cut under it has to do. */
        private boolean isTroubled() {
            return !network || history.failures() > 0 || cuts >= 8;
        }

        private boolean isTelling() {
            return history.redeliveries() >= least() && isContended() && isTroubled();
        }

        private void check() {
            tells(history.deliveries() >= 150, "only " + history.deliveries() + " messages were delivered");
            tells(history.redeliveries() >= least(), "only " + history.redeliveries() + " were delivered again");
            assertTrue(
                    network || history.failures() * 10 <= history.deliveries(),
                    "nothing was done wrong, but much failed: " + history.failures() + " of " + history.deliveries());
            tells(isTroubled(), "no fault hit a commit or a close, and only " + cuts + " connections were cut");
            tells(
                    isContended(),
                    "there was no contention: only " + history.overlappingBatches() + " batches overlapped another");
        }

        private static void tells(boolean condition, String why) {
            if (!condition) {
                throw new Inconclusive(why);
            }
        }
    }

    private static Run run(TestOutbox outbox, Workload workload, @Nullable Network network, int cutBefore)
            throws Exception {
        IntSupplier cuts = network == null ? () -> 0 : NetworkRules.trouble(workload.seed(), outbox, network);
        History history = workload.run(outbox, network);
        history.check(TestOutbox.has(outbox.open(), Capability.PARTITION_EXCLUSIVITY));
        return new Run(workload, history, network != null, cutBefore + cuts.getAsInt());
    }

    /** Runs a workload, maybe through a faulty network, and checks what it did. */
    static void check(TestOutbox outbox, Workload workload, @Nullable Network network) throws Exception {
        try {
            Run run = run(outbox, workload, network, 0);
            // Who meets whom, and where faults fall, is up to the scheduler, and may prove nothing.
            for (int again = 1; again < 5 && !run.isTelling(); again++) {
                run = run(outbox, workload.withSeed(workload.seed() + again), network, run.cuts());
            }
            outbox.saw(run.history().deliveries(), run.history().summary());
            run.check();
            outbox.open().expectNothing("everything was settled", "workload");
        } catch (RuleViolation e) {
            throw new RuleViolation(e.rule(), e.getMessage() + "\n    " + workload);
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "\n    " + workload, e);
        }
    }
}
