package dev.outbox.relay;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The partitions that rounds of this relay are closing now. A close that fails gives its partitions back before this
 * process learns that it failed. Another worker may take them in between, and must not publish what is about to be
 * remembered. So it waits until the close has told what became of it. That takes no longer than an answer of the store,
 * except if the hold was lost to time: then the wait has an end. Safe for use by several threads.
 */
final class ClosingLanes {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(1);

    private final Map<Lane.Key, CountDownLatch> closing = new ConcurrentHashMap<>();

    /** A close of these begins. Null if there is no memory for it: nothing may keep a batch from being closed. */
    @Nullable
    CountDownLatch begin(List<? extends Lane<?>> lanes) {
        if (lanes.isEmpty()) {
            return null;
        }
        CountDownLatch told = null;
        try {
            told = new CountDownLatch(1);
            for (Lane<?> lane : lanes) {
                closing.put(lane.key, told);
            }
            return told;
        } catch (Throwable e) {
            end(lanes, told);
            return null;
        }
    }

    /** What could not be settled by it is remembered now. */
    void end(List<? extends Lane<?>> lanes, @Nullable CountDownLatch told) {
        if (told == null) {
            return;
        }
        told.countDown();
        for (Lane<?> lane : lanes) {
            closing.remove(lane.key, told);
        }
    }

    /** Waits for closes of these that have begun, for a second altogether. */
    void await(List<? extends Lane<?>> lanes) throws InterruptedException {
        if (closing.isEmpty()) {
            return;
        }
        long end = System.nanoTime() + PATIENCE;
        for (Lane<?> lane : lanes) {
            CountDownLatch told = closing.get(lane.key);
            if (told != null && !told.await(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                return;
            }
        }
    }
}
