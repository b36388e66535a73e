package dev.outbox.store.jooq.internal.close;

import dev.outbox.store.jooq.internal.dialect.LastAnswer;
import java.time.Duration;
import java.util.Collection;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A thread that says now and then, on the connection of every open batch, that the batch is still there. A publisher
 * may take as long as it wants; and what forgets connections that are silent (servers, poolers, routers, load
 * balancers) keeps these.
 *
 * <p>That is what lets the server be told to give a session up that says nothing for a minute: its machine has vanished
 * without a word, or sleeps, and its partitions become free. A relay that wakes up then asks {@link
 * JdbcBatch#isHeld} before it publishes more.
 */
public final class SignsOfLife implements AutoCloseable {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private static final Duration PATIENCE = Duration.ofSeconds(4);

    /** Longer than an answer takes: this server is unreachable, and other connections may be dead, too. */
    private static final long SLOW = TimeUnit.SECONDS.toNanos(1);

    /** With these, two hundred dead connections take half of the time after which a server ends a silent session. */
    private static final int MOST_HELPERS = 31;

    private final Collection<JdbcBatch> open;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;
    private final Set<Thread> helpers = ConcurrentHashMap.newKeySet();

    /** Whose turn is to come in this round. */
    private volatile Queue<JdbcBatch> waiting = new ConcurrentLinkedQueue<>();

    private SignsOfLife(Collection<JdbcBatch> open) {
        this.open = open;
        this.thread = new Thread(this::run, "outbox-signs-of-life-" + NUMBER.incrementAndGet());
        thread.setDaemon(true);
    }

    /** Begins to look after the batches that are in a collection, which may change all the time. */
    public static SignsOfLife of(Collection<JdbcBatch> open) {
        SignsOfLife signs = new SignsOfLife(open);
        signs.thread.start();
        return signs;
    }

    /**
     * For how long an answer of the server is proof that it has not given the session up, with much to spare: 5
     * seconds.
     */
    public static Duration trust() {
        return Duration.ofNanos(trustNanos());
    }

    /** The same in nanoseconds. It is asked for every message, and arithmetic with durations is slow. */
    static long trustNanos() {
        return LastAnswer.silence.toNanos() / 12;
    }

    /** How long to wait for an answer. */
    public static Duration patience() {
        return PATIENCE;
    }

    private void run() {
        boolean over = false;
        while (!over) {
            try {
                over = closed.await(trust().toNanos() / 2, TimeUnit.NANOSECONDS);
                if (!over) {
                    giveAll();
                }
            } catch (InterruptedException e) {
                // Nobody else has this thread; closing is how to end it.
            } catch (Throwable e) {
                // Also if the memory is exhausted, which it may be for a moment only: without this thread holds would
                // be lost.
            }
        }
    }

    /**
     * Gives one sign after the other, which is quick while servers answer. If one server does not answer, others may
     * not answer either. The connections that are alive must not wait for all of these. So helpers do the rest, and
     * this thread waits for no server until all have answered again: what is checked out meanwhile has its turn, too.
     */
    private void giveAll() {
        waiting = new ConcurrentLinkedQueue<>(open);
        if (helpers.isEmpty()) {
            giveWhileQuick();
        }
        try {
            help();
        } catch (Throwable e) {
            // There is no thread, or no memory, for one more helper.
        }
        if (helpers.isEmpty()) {
            give();
        }
    }

    private void give() {
        for (JdbcBatch batch = next(); batch != null; batch = next()) {
            batch.giveSignOfLife();
        }
    }

    private void giveWhileQuick() {
        long started = System.nanoTime();
        for (JdbcBatch batch = next(); batch != null; batch = next()) {
            batch.giveSignOfLife();
            long now = System.nanoTime();
            if (now - started > SLOW) {
                return;
            }
            started = now;
        }
    }

    /** The next batch that needs a sign of life; null if there is none, or if the store is closed. */
    private @Nullable JdbcBatch next() {
        return closed.getCount() == 0 ? null : waiting.poll();
    }

    /** Starts helpers for the batches that wait. If another thread asks for a batch already, a helper skips it. */
    private void help() {
        for (int i = Math.min(MOST_HELPERS - helpers.size(), waiting.size()); i > 0; i--) {
            Thread helper = new Thread(
                    () -> {
                        try {
                            give();
                        } finally {
                            helpers.remove(Thread.currentThread());
                        }
                    },
                    thread.getName() + "-helper");
            helper.setDaemon(true);
            helpers.add(helper);
            boolean started = false;
            try {
                helper.start();
                started = true;
            } finally {
                if (!started) {
                    helpers.remove(helper);
                }
            }
        }
    }

    /** Waits for the threads, so that nothing of it outlives the store. */
    @Override
    public void close() {
        closed.countDown();
        boolean interrupted = false;
        long deadline = System.nanoTime() + 2 * patience().toNanos();
        while ((thread.isAlive() || !helpers.isEmpty()) && System.nanoTime() - deadline < 0) {
            try {
                thread.join(100);
                for (Thread helper : helpers) {
                    helper.join(100);
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
