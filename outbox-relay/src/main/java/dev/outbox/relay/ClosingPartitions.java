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
final class ClosingPartitions {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(1);

    private final Map<Partition, CountDownLatch> closing = new ConcurrentHashMap<>();

    /** A close of these begins. Null if there is no memory for it: nothing may keep a batch from being closed. */
    @Nullable
    CountDownLatch begin(List<? extends PartitionQueue<?>> queues) {
        if (queues.isEmpty()) {
            return null;
        }
        CountDownLatch told = null;
        try {
            told = new CountDownLatch(1);
            for (PartitionQueue<?> queue : queues) {
                closing.put(queue.partition, told);
            }
            return told;
        } catch (Throwable e) {
            end(queues, told);
            return null;
        }
    }

    /** What could not be settled by it is remembered now. */
    void end(List<? extends PartitionQueue<?>> queues, @Nullable CountDownLatch told) {
        if (told == null) {
            return;
        }
        told.countDown();
        for (PartitionQueue<?> queue : queues) {
            closing.remove(queue.partition, told);
        }
    }

    /** Waits for closes of these that have begun, for a second altogether. */
    void await(List<? extends PartitionQueue<?>> queues) throws InterruptedException {
        if (closing.isEmpty()) {
            return;
        }
        long end = System.nanoTime() + PATIENCE;
        for (PartitionQueue<?> queue : queues) {
            CountDownLatch told = closing.get(queue.partition);
            if (told != null && !told.await(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                return;
            }
        }
    }
}
