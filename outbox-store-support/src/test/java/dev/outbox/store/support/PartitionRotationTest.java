package dev.outbox.store.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PartitionRotationTest {
    private static final int MOST = 50;
    private final PartitionRotation<Integer> rotation = new PartitionRotation<>(
            new PartitionRotation.Pace(Duration.ofMillis(100), 20, MOST, all -> (int) Math.ceil(Math.sqrt(all))));

    private static List<Integer> some(int count) {
        return IntStream.range(0, count).boxed().collect(Collectors.toList());
    }

    private void find(List<Integer> found) {
        long now = System.nanoTime();
        rotation.replace(found, now, now);
    }

    /** However many there are, and however few a batch takes, alone and in company. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 49, 50, 51, 100, 333, 1_000})
    void allComeToBeServed(int partitions) {
        for (int limit : new int[] {1, 2, 7, 50, 100, 5_000}) {
            find(some(partitions));
            Set<Integer> left = new HashSet<>(some(partitions));
            for (int turn = 0; !left.isEmpty(); turn++) {
                assertTrue(turn <= partitions, "turns of " + partitions + " with " + limit);
                int first = rotation.firstTake(partitions, limit);
                assertTrue(first >= 1 && first <= Math.min(Math.min(limit, MOST), partitions), "took " + first);
                left.removeAll(rotation.nextTurn(limit).subList(0, first));
                find(some(partitions));
            }
            rotation.noteCompany();
        }
    }

    @Test
    void whatFoundNoPlaceComesFirstNextTime() {
        find(some(5));
        List<Integer> inTurn = rotation.nextTurn(5);
        List<Integer> noPlace = inTurn.subList(3, 5);
        rotation.noteNoTurn(noPlace);
        assertEquals(noPlace, rotation.nextTurn(5).subList(0, 2));
        assertEquals(5, new HashSet<>(rotation.nextTurn(5)).size());
    }

    @Test
    void aloneABatchBeginsWithAllAndInCompanyWithAShare() {
        assertTrue(rotation.isAlone());
        assertEquals(30, rotation.firstTake(30, 100));
        assertEquals(6, rotation.firstTake(30, 29), "not all have a place");
        assertEquals(MOST, rotation.firstTake(99, 100), "what a batch may hold");
        rotation.noteCompany();
        assertFalse(rotation.isAlone());
        assertEquals(6, rotation.firstTake(30, 100));
        assertEquals(0, rotation.firstTake(0, 100));
    }

    @Test
    void whatIsKnownKeepsItsTurn() {
        find(List.of(1, 2, 3));
        List<Integer> order = rotation.nextTurn(1);
        int served = order.get(0);
        find(List.of(1, 2, 3, 4));
        List<Integer> after = rotation.nextTurn(1);
        assertEquals(List.of(order.get(1), order.get(2), served, 4), after);
        find(List.of(4));
        assertEquals(List.of(4), rotation.nextTurn(1));
        rotation.remove(4);
        assertEquals(List.of(), rotation.nextTurn(1));
    }

    @Test
    void theSlowerADiscoveryIsTheLaterIsTheNext() {
        long now = System.nanoTime();
        assertTrue(rotation.isDiscoveryDue(now), "nothing is known");
        rotation.replace(List.of(1), now - 10_000_000, now);
        assertFalse(rotation.isDiscoveryDue(now + 199_000_000));
        assertTrue(rotation.isDiscoveryDue(now + 201_000_000));
        rotation.replace(List.of(1), now - 1, now);
        assertFalse(rotation.isDiscoveryDue(now + 99_000_000));
        assertTrue(rotation.isDiscoveryDue(now + 101_000_000));
        rotation.replace(List.of(1), now - 60_000_000_000L, now);
        assertTrue(rotation.isDiscoveryDue(now + 1_001_000_000), "never later than after a second");
        assertTrue(rotation.isDiscoveryDue(now + 1_001_000_000), "to whoever asks");
        rotation.replace(List.of(1), now - 2_000_000_000L, now - 2_000_000_000L);
        assertTrue(rotation.beginDiscoveryIfDue());
        assertFalse(rotation.beginDiscoveryIfDue(), "another thread is at it");
        rotation.remove(1);
        assertTrue(rotation.beginDiscoveryIfDue(), "nothing is known");
    }

    @Test
    void areAllIsOfAllThatAreKnown() {
        find(some(3));
        assertTrue(rotation.areAll(List.of(2, 1, 0), 3));
        assertFalse(rotation.areAll(List.of(2, 1, 0), 2), "there is no place for all of them");
        assertFalse(rotation.areAll(List.of(2, 1), 3));
        assertFalse(rotation.areAll(List.of(2, 1, 7), 3));
        rotation.retain(List.of(1), Set.of(2));
        assertTrue(rotation.areAll(List.of(1, 2), 3));
    }
}
