package dev.outbox.store.jooq.internal.checkout;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.store.jooq.internal.partition.Partition;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** When hints are used; that they may be is for {@link LowWatermarkTest}. */
class ReadPositionsTest {
    private static final long SLOW = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long FAST = TimeUnit.MICROSECONDS.toNanos(500);

    private final Partition partition = new Partition(1, "orders", 0);
    private final ReadPositions readPositions = new ReadPositions();
    private final long now = System.nanoTime();

    private long startAfterRead(long took) {
        readPositions.readFromStart(partition, 100, took, now);
        readPositions.settled(partition, 100, 100, 100);
        return readPositions.start(partition, now);
    }

    /** What was settled before a store was opened is dead, and in the way, all the same. */
    @Test
    void theFirstSlowReadIsEnough() {
        assertEquals(100, startAfterRead(SLOW));
    }

    @Test
    void behindAFastReadASlowOneIsTheMachine() {
        assertEquals(0, startAfterRead(FAST));
        assertEquals(0, startAfterRead(SLOW));
    }
}
