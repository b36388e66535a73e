package dev.outbox.store.jooq;

import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A thread that says now and then, on the connection of every open batch, that the batch is still there. A publisher may take
 * as long as it wants; and what forgets connections that are silent (servers, poolers, routers, load balancers) keeps these.
 *
 * <p>That is what lets the server be told to give a session up that says nothing for a minute: its machine has vanished
 * without a word, or sleeps, and its partitions become free. Whoever wakes up then asks before he publishes on, see {@link
 * JdbcBatch#isHeld}.
 */
final class SignsOfLife implements AutoCloseable {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    /** After how long a silence a server ends a session that has a batch open; changed by tests alone. */
    static volatile Duration silence = Duration.ofSeconds(60);

    private static final Duration PATIENCE = Duration.ofSeconds(4);

    private final Collection<JdbcBatch> open;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;

    private SignsOfLife(Collection<JdbcBatch> open) {
        this.open = open;
        this.thread = new Thread(this::run, "outbox-signs-of-life-" + NUMBER.incrementAndGet());
        thread.setDaemon(true);
    }

    /** Begins to look after the batches that are in a collection, which may change all the time. */
    static SignsOfLife of(Collection<JdbcBatch> open) {
        SignsOfLife signs = new SignsOfLife(open);
        signs.thread.start();
        return signs;
    }

    /** For how long an answer of the server is proof that it has not given the session up, with much to spare: 5 seconds. */
    static Duration trust() {
        return silence.dividedBy(12);
    }

    /** How long to wait for an answer. */
    static Duration patience() {
        return PATIENCE;
    }

    private void run() {
        boolean over = false;
        while (!over) {
            try {
                over = closed.await(trust().toNanos() / 2, TimeUnit.NANOSECONDS);
                if (!over) {
                    open.forEach(JdbcBatch::giveSignOfLife);
                }
            } catch (InterruptedException e) {
                // Nobody else has this thread; closing is how to end it.
            } catch (Throwable e) {
                // Also if the memory is exhausted, which it may be for a moment only: without this thread holds would
                // be lost.
            }
        }
    }

    /** Waits for the thread, so that nothing of it outlives the store. */
    @Override
    public void close() {
        closed.countDown();
        boolean interrupted = false;
        long deadline = System.nanoTime() + 2 * patience().toNanos();
        while (thread.isAlive() && System.nanoTime() - deadline < 0) {
            try {
                thread.join(100);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
