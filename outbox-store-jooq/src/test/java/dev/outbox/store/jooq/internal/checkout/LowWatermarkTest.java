package dev.outbox.store.jooq.internal.checkout;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.store.jooq.internal.dialect.Dialects;
import dev.outbox.store.jooq.internal.partition.OpenTransactions;
import dev.outbox.store.jooq.internal.partition.Partition;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LowWatermarkTest {
    private final LowWatermark lowWatermark = new LowWatermark(Dialects.POSTGRESQL, 1, false);
    private final ReadPositions readPositions = new ReadPositions();
    private final Partition partition = new Partition(7, "t", 0);

    private long now;

    private void saw(long upTo, String... transactions) {
        now += 2;
        lowWatermark.saw(upTo, new OpenTransactions("server", 0, Set.of(transactions)), now, now + 1);
    }

    @Test
    void risesAtOnceWhenNobodyWrites() {
        saw(10);
        assertEquals(10, lowWatermark.get());
    }

    @Test
    void waitsForEveryTransactionThatMayHaveALowerId() {
        saw(10, "a", "b");
        assertEquals(0, lowWatermark.get());
        saw(20, "b", "c");
        assertEquals(0, lowWatermark.get());
        saw(30, "c");
        assertEquals(10, lowWatermark.get(), "a and b have ended; c may have any id that was not drawn then");
        saw(40, "d");
        assertEquals(30, lowWatermark.get());
    }

    @Test
    void whoLookedEarlierDoesNotKnowThatALaterWriterHasEnded() {
        saw(10, "a");
        lowWatermark.saw(5, new OpenTransactions("server", 0, Set.of("other")), now - 1, now + 1);
        assertEquals(0, lowWatermark.get(), "a may have begun after that look");
        saw(20, "b");
        assertEquals(10, lowWatermark.get());
    }

    @Test
    void neverFalls() {
        saw(10);
        saw(5);
        assertEquals(10, lowWatermark.get());
    }

    /** Under strict order nobody would get what is written above a floor that is too high, in the order in which it is decided. */
    @Test
    void isForgottenWhenIdsAreDrawnAnew() {
        LowWatermark strict = new LowWatermark(Dialects.POSTGRESQL, 1, true);
        strict.saw(0, new OpenTransactions("server", 10, Set.of()), 1, 2);
        assertEquals(10, strict.get());
        strict.saw(0, new OpenTransactions("server", 9, Set.of()), 1, 3);
        assertEquals(10, strict.get(), "whoever looked before does not know better");
        strict.saw(0, new OpenTransactions("server", 3, Set.of("a")), 4, 5);
        assertEquals(0, strict.get(), "a may have any id");
        strict.saw(0, new OpenTransactions("server", 4, Set.of()), 6, 7);
        assertEquals(4, strict.get());
    }

    @Test
    void isForgottenWithTheServer() {
        saw(10);
        lowWatermark.read(12);
        lowWatermark.saw(12, new OpenTransactions("another server", 7, Set.of()), now + 1, now + 2);
        assertEquals(7, lowWatermark.get(), "ids above may be drawn again");
    }

    @Test
    void aHintStopsAtTheFloorOfBeforeItsRead() {
        readSlowly();
        readPositions.settled(partition, 100, 5_000, 60);
        readSlowly();
        assertEquals(60, readPositions.start(partition, System.nanoTime()));
        readPositions.settled(partition, 120, 5, 60);
        assertEquals(60, readPositions.start(partition, System.nanoTime()));
        readPositions.settled(partition, 130, 5, 125);
        assertEquals(125, readPositions.start(partition, System.nanoTime()));
        readPositions.settled(partition, 110, 5, 125);
        assertEquals(110, readPositions.start(partition, System.nanoTime()), "row 111 was left");
    }

    @Test
    void aHintIsNotUsedWhileReadingFromTheStartIsFast() {
        readSlowly();
        readPositions.settled(partition, 100, 5_000, 100);
        readPositions.readFromStart(partition, 100, 1_000, System.nanoTime());
        assertEquals(0, readPositions.start(partition, System.nanoTime()));
    }

    private void readSlowly() {
        readPositions.readFromStart(partition, 100, 5_000_000_000L, System.nanoTime());
    }
}
