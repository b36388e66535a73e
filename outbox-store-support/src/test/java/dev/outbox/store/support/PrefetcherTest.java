package dev.outbox.store.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class PrefetcherTest {
    private final List<String> givenBack = new ArrayList<>();
    private final Prefetcher<String> prefetcher = new Prefetcher<>(2, givenBack::add);

    private void batch(int messages, int limit) {
        prefetcher.noteCheckout(System.nanoTime(), messages, limit);
        prefetcher.noteClosed();
    }

    @Test
    void onlyFullBatchesThatFollowEachOtherAreSteady() {
        long closed = System.nanoTime();
        prefetcher.noteClosed();
        prefetcher.noteCheckout(closed, 100, 100);
        assertFalse(prefetcher.isSteady(), "one");
        prefetcher.noteCheckout(closed, 100, 100);
        assertTrue(prefetcher.isSteady(), "two");
        prefetcher.noteCheckout(closed, 99, 100);
        assertFalse(prefetcher.isSteady(), "not full");
        prefetcher.noteCheckout(closed, 5, 5);
        prefetcher.noteCheckout(closed, 5, 5);
        prefetcher.noteCheckout(closed, 5, 5);
        assertFalse(prefetcher.isSteady(), "small");
        prefetcher.noteCheckout(closed + 1_000_000_000L, 100, 100);
        prefetcher.noteCheckout(closed + 1_000_000_000L, 100, 100);
        assertFalse(prefetcher.isSteady(), "much later");
    }

    /** Whether it was there in time. Otherwise it has been given back. */
    private boolean isHandedOut(String hold) {
        prefetcher.keep(hold, 100);
        boolean inTime = hold.equals(prefetcher.take(100));
        assertEquals(inTime ? List.of() : List.of(hold), givenBack);
        givenBack.clear();
        return inTime;
    }

    @Test
    void whatIsKeptIsHandedOutOnceAndToTheSameLimit() {
        batch(100, 100);
        for (int tries = 1; !isHandedOut("one"); tries++) { // a busy machine may come for it too late
            assertTrue(tries < 100, "given back each time");
        }
        assertNull(prefetcher.take(100));
        prefetcher.keep("two", 100);
        assertNull(prefetcher.take(50));
        assertEquals(List.of("two"), givenBack);
        prefetcher.keep("three", 100);
        prefetcher.keep("four", 100);
        assertEquals(List.of("two", "three"), givenBack);
        prefetcher.close();
        assertEquals(List.of("two", "three", "four"), givenBack);
        prefetcher.keep("five", 100);
        assertEquals(List.of("two", "three", "four", "five"), givenBack);
        assertNull(prefetcher.take(100));
        assertFalse(prefetcher.isWorthWatching());
    }

    @Test
    void whatIsNotFetchedIsGivenBack() {
        batch(100, 100);
        assertTrue(prefetcher.isWorthWatching());
        prefetcher.keep("one", 100);
        while (givenBack.isEmpty()) {
            assertTrue(prefetcher.isWorthWatching());
            LockSupport.parkNanos(Prefetcher.KEEP / 4);
            prefetcher.dropStale();
        }
        assertNull(prefetcher.take(100));
        assertEquals(List.of("one"), givenBack);
    }
}
