package dev.outbox.relay;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codecs;
import dev.outbox.Topic;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ClosingPartitionsTest {
    private final Route<String> route =
            new Route<>(Topic.builder("t", Codecs.text()).build(), new Time(1), Interceptors.NONE);
    private final List<PartitionQueue<String>> one = List.of(new PartitionQueue<>(route, new Partition("t", 1)));
    private final List<PartitionQueue<String>> both = List.of(
            new PartitionQueue<>(route, new Partition("t", 2)), new PartitionQueue<>(route, new Partition("t", 1)));
    private final ClosingPartitions closing = new ClosingPartitions();

    @Test
    void whoTakesAPartitionWaitsUntilItsCloseHasTold() throws Exception {
        CountDownLatch told = closing.begin(one);
        AtomicBoolean hasTold = new AtomicBoolean();
        AtomicBoolean waited = new AtomicBoolean();
        Thread taker = new Thread(() -> {
            try {
                closing.await(both);
                waited.set(hasTold.get());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        taker.start();
        while (taker.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
        hasTold.set(true);
        closing.end(one, told);
        taker.join();
        assertTrue(waited.get());
    }

    @Test
    void aCloseThatHangsIsNotWaitedForForEver() throws Exception {
        CountDownLatch hangs = closing.begin(one);
        closing.await(both);
        CountDownLatch next = closing.begin(one); // of who has it now
        closing.end(one, hangs);
        assertTrue(next != null && next.getCount() == 1, "the end of the first is not that of the second");
        closing.end(one, next);
        closing.await(one);
        assertFalse(Thread.interrupted());
    }
}
