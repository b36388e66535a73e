package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Set;
import org.junit.jupiter.api.Test;

class FloorTest {
    private final Floor floor = new Floor(new PostgresDialect());
    private final Hints hints = new Hints();
    private final Candidate partition = new Candidate(7, "t", 0);

    @Test
    void risesAtOnceWhenNobodyWrites() {
        floor.saw(10, Set.of());
        assertEquals(10, floor.get());
    }

    @Test
    void waitsForEveryTransactionThatMayHaveALowerId() {
        floor.saw(10, Set.of("a", "b"));
        assertEquals(0, floor.get());
        floor.saw(20, Set.of("b", "c"));
        assertEquals(0, floor.get());
        floor.saw(30, Set.of("c"));
        assertEquals(10, floor.get(), "a and b have ended; c may have any id that was not drawn then");
        floor.saw(40, Set.of("d"));
        assertEquals(30, floor.get());
    }

    @Test
    void neverFalls() {
        floor.saw(10, Set.of());
        floor.saw(5, Set.of());
        assertEquals(10, floor.get());
    }

    @Test
    void aHintStopsAtTheFloorOfBeforeItsRead() {
        readSlowly();
        hints.settled(partition, 100, 5_000, 60);
        readSlowly();
        assertEquals(60, hints.start(partition, System.nanoTime()));
        hints.settled(partition, 120, 5, 60);
        assertEquals(60, hints.start(partition, System.nanoTime()));
        hints.settled(partition, 130, 5, 125);
        assertEquals(125, hints.start(partition, System.nanoTime()));
        hints.settled(partition, 110, 5, 125);
        assertEquals(110, hints.start(partition, System.nanoTime()), "row 111 was left");
    }

    @Test
    void aHintIsNotUsedWhileReadingFromTheStartIsFast() {
        readSlowly();
        hints.settled(partition, 100, 5_000, 100);
        hints.readFromStart(partition, 100, 1_000, System.nanoTime());
        assertEquals(0, hints.start(partition, System.nanoTime()));
    }

    private void readSlowly() {
        hints.readFromStart(partition, 100, 5_000_000_000L, System.nanoTime());
    }
}
