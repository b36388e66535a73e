package dev.outbox.tck;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.internal.explore.Exploration;
import dev.outbox.tck.internal.explore.Exploration.Finding;
import dev.outbox.tck.internal.explore.Exploration.Outcome;
import dev.outbox.tck.memory.Broken;
import dev.outbox.tck.memory.Zoo;
import dev.outbox.tck.memory.ZooHarness;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** What exploration alone finds of the stores of the zoo. */
class ZooExplorationTest {
    private static final long SEED = 7;

    /** A seed that soon draws more partitions than a store may want to look at. */
    private static final long CROWDED = 72;

    private static final Duration UNBOUNDED = Duration.ofMinutes(10);

    /** After what time a call of a broken store is said not to return. Some do not. */
    private static final Duration HANGS = Duration.ofSeconds(2);

    @Test
    void aDozenSequencesTellMostStoresThatOneThreadCanTell() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        Map<Broken, Future<Outcome>> outcomes = new LinkedHashMap<>();
        for (Broken each : Zoo.ALL) {
            outcomes.put(each, threads.submit(() -> explore(each, 500, Duration.ZERO, HANGS)));
        }
        List<String> missed = new ArrayList<>();
        for (Map.Entry<Broken, Future<Outcome>> each : outcomes.entrySet()) {
            if (each.getValue().get().finding() == null) {
                missed.add(each.getKey().idea());
            }
        }
        threads.shutdown();
        int found = Zoo.ALL.size() - missed.size();
        System.out.println("Found by exploration: " + found + "; not " + missed);
        // Of the others, some need threads, killed processes or a network with faults; some, numbers that are rare.
        assertTrue(found >= 60, "of " + Zoo.ALL.size() + " stores, found " + found + ", and not " + missed);
    }

    @Test
    void aSoundStoreIsNotAccused() {
        // Nothing hangs, so that no call is too slow for it, however busy the machine is.
        Outcome outcome = explore(Zoo.SOUND, 4_000, Duration.ZERO, UNBOUNDED);
        assertNull(outcome.finding());
        assertEquals(List.of(), outcome.inconclusive());
        assertTrue(outcome.compared() > 3_000 && outcome.steps() >= 4_000, outcome.summary());
    }

    @Test
    void aStoreWithOneWriterIsNotAccused() {
        Outcome outcome = explore(Zoo.ONE_WRITER, 2_000, Duration.ZERO, UNBOUNDED);
        assertNull(outcome.finding());
        assertEquals(List.of(), outcome.inconclusive());
        assertTrue(outcome.compared() > 500, outcome.summary());
    }

    /** A fault that a relay of ours had once, with the limit that is its default. */
    @Test
    void aCheckoutThatFailsAtSomeNumbersOfPartitionsIsFound() {
        Broken failing = named("fails at certain numbers of partitions");
        Finding finding =
                requireNonNull(explore(failing, 500, Duration.ZERO, UNBOUNDED).finding());
        assertEquals("OBX-LIMIT-2", finding.rule());
    }

    /** A fault that a store of ours had once: while the first have messages, the others never get a place. */
    @Test
    void aCheckoutThatNeverLooksAtTheLastOfManyPartitionsIsFound() {
        Broken first = named("looks at the first of many partitions alone");
        Finding finding = null;
        // A sequence says nothing if the machine stood still meanwhile.
        for (int tries = 0; finding == null && tries < 5; tries++) {
            finding = explore(first, CROWDED, 4_000, Duration.ZERO, UNBOUNDED).finding();
        }
        assertNotNull(finding);
        assertEquals("OBX-LIMIT-2", finding.rule());
        assertTrue(finding.observed().contains("passed over"), finding.observed());
    }

    @Test
    void whatIsFoundIsShrunkAndSaysWhichRuleIsBroken() {
        Broken backwards = named("writes the messages of a call backwards");
        Finding finding =
                requireNonNull(explore(backwards, 4_000, UNBOUNDED, UNBOUNDED).finding());
        assertEquals("OBX-ORDER-1", finding.rule());
        assertEquals(
                List.of(".begin(1)", ".writeTogether(1, 1, 0, 1, 2, 0)", ".commit(1)"),
                finding.steps(),
                "two messages of a call, and what every sequence ends with");
        assertTrue(finding.text().contains("Seed 7, sequence"), finding.text());
    }

    private static Broken named(String idea) {
        return Zoo.ALL.stream()
                .filter(each -> each.idea().equals(idea))
                .findFirst()
                .orElseThrow();
    }

    private static Outcome explore(Broken store, int steps, Duration shrinking, Duration patience) {
        return explore(store, SEED, steps, shrinking, patience);
    }

    /** The steps are the bound, so that what is found is the same on a busy machine. */
    private static Outcome explore(Broken store, long seed, int steps, Duration shrinking, Duration patience) {
        ZooHarness harness = new ZooHarness(store);
        return new Exploration(
                        new HarnessTarget(harness),
                        harness.lease().orElse(Duration.ZERO),
                        seed,
                        UNBOUNDED,
                        steps,
                        shrinking,
                        patience)
                .run();
    }
}
