package dev.outbox.tck.internal.explore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.internal.explore.Step.Kind;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What is drawn follows from the seed and leaves nothing out; and what goes wrong is made as short as it can be. */
class GeneratorTest {
    @Test
    void aSeedAlwaysDrawsTheSame() {
        assertEquals(Generator.sequence(42), Generator.sequence(42));
        assertNotEquals(Generator.sequence(42), Generator.sequence(43));
    }

    @Test
    void everyOperationIsDrawnAndSoAreTheNumbersAtWhichSomethingChanges() {
        Map<Kind, Integer> drawn = new EnumMap<>(Kind.class);
        TreeSet<Integer> partitions = new TreeSet<>();
        TreeSet<Integer> limits = new TreeSet<>();
        for (int seed = 0; seed < 9_000; seed++) {
            for (Step each : Generator.sequence(seed)) {
                drawn.merge(each.kind(), 1, Integer::sum);
                if (each.kind() == Kind.WRITE_TOGETHER) {
                    partitions.add(each.at(3));
                } else if (each.kind() == Kind.CHECK_OUT) {
                    limits.add(each.at(4));
                }
            }
        }
        assertEquals(EnumSet.allOf(Kind.class), drawn.keySet());
        assertTrue(drawn.values().stream().allMatch(count -> count > 40), "drawn: " + drawn);
        List<Integer> edges = List.of(1, 7, 8, 15, 16, 31, 32, 100, 128, 180, 255, 256, 500, 501, 1000, 2000);
        assertTrue(partitions.containsAll(edges), "partitions: " + partitions);
        assertTrue(limits.containsAll(edges), "limits: " + limits);
    }

    @Test
    void whatGoesWrongIsMadeAsShortAsItCanBe() {
        List<Step> drawn = new ArrayList<>(Generator.sequence(3));
        drawn.add(5, Step.of(Kind.WRITE_TOGETHER, 1, 1, 0, 1_900, 1, 10));
        Shrinker shrinker = new Shrinker(
                steps -> steps.stream().anyMatch(each -> each.kind() == Kind.WRITE_TOGETHER && each.at(3) >= 170)
                        && steps.stream().anyMatch(each -> each.kind() == Kind.COMMIT),
                System.nanoTime() + TimeUnit.MINUTES.toNanos(1));
        assertEquals(
                List.of(".writeTogether(1, 1, 0, 170, 1, 0)", ".commit(1)"),
                shrinker.shrink(drawn).stream()
                        .map(Step::code)
                        .sorted((a, b) -> b.compareTo(a))
                        .toList());
        assertTrue(shrinker.tries() < 300, "tries: " + shrinker.tries());
    }
}
