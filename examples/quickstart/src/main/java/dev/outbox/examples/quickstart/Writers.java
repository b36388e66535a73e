package dev.outbox.examples.quickstart;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The shop's threads. A customer's orders are all taken by the same one, in the order of the file, so that it is
 * defined which of them committed first.
 */
final class Writers implements AutoCloseable {
    static final int THREADS = 4;

    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    private final CountDownLatch gate = new CountDownLatch(1);
    private final AtomicInteger committed = new AtomicInteger();
    private final AtomicInteger rolledBack = new AtomicInteger();
    private final List<Future<?>> work = new ArrayList<>();

    /**
     * Starts taking orders.
     *
     * @param freely how many of the orders that will commit may be taken before {@link #openGate}: the rest waits
     */
    Writers(Shop shop, List<OrderLine> lines, int freely) {
        List<List<Task>> shares = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            shares.add(new ArrayList<>());
        }
        int authorised = 0;
        for (OrderLine line : lines) {
            int thread = Math.floorMod(line.order().customer().hashCode(), THREADS);
            shares.get(thread).add(new Task(line, authorised >= freely));
            if (!line.declined()) {
                authorised++;
            }
        }
        for (List<Task> share : shares) {
            work.add(threads.submit(() -> {
                for (Task task : share) {
                    take(shop, task);
                }
                return null;
            }));
        }
    }

    private record Task(OrderLine line, boolean behindGate) {}

    private void take(Shop shop, Task task) throws InterruptedException {
        if (task.behindGate()) {
            gate.await();
        }
        (shop.take(task.line()) ? committed : rolledBack).incrementAndGet();
    }

    /** Lets the rest be taken. */
    void openGate() {
        gate.countDown();
    }

    /** For showing progress; the verdict counts in the table. */
    int committed() {
        return committed.get();
    }

    /** For showing progress. */
    int rolledBack() {
        return rolledBack.get();
    }

    /** Whether all orders are taken; throws if a thread broke. */
    boolean finished() throws InterruptedException {
        boolean all = true;
        for (Future<?> share : work) {
            if (share.isDone()) {
                try {
                    share.get();
                } catch (ExecutionException e) {
                    throw Failure.broken("Taking an order failed: " + e.getCause(), e);
                }
            } else {
                all = false;
            }
        }
        return all;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
