package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** When hints are used; that they may be is for {@link FloorTest}. */
class HintsTest {
    private static final long SLOW = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long FAST = TimeUnit.MICROSECONDS.toNanos(500);

    private final Candidate partition = new Candidate(1, "orders", 0);
    private final Hints hints = new Hints();
    private final long now = System.nanoTime();

    private long startAfterRead(long took) {
        hints.readFromStart(partition, 100, took, now);
        hints.settled(partition, 100, 100, 100);
        return hints.start(partition, now);
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
