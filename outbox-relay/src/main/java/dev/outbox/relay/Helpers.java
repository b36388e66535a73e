package dev.outbox.relay;

import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The threads on which publishers run when a round has something to gain by it; shared by all rounds of a relay, made
 * when they are needed, and gone when they are not. Nothing waits in a queue here: a round that gets no helper does it
 * itself, or waits for its own. So whatever hangs in them, every round can go on.
 *
 * <p>No pool of the JDK, because once a thread has been made, taking a task and coming back from it must need no
 * memory: a task that was lost would be waited for without end.
 */
final class Helpers {
    private static final long IDLE = TimeUnit.SECONDS.toNanos(10);

    private final int size;
    private final Threads threads;

    // Guarded by this.
    private final ArrayDeque<Helper> idle;
    private int busy;
    private int made;
    private boolean closed;

    Helpers(int size, Threads threads) {
        this.size = size;
        this.threads = threads;
        this.idle = new ArrayDeque<>(size + 1);
    }

    boolean areThere() {
        return size > 1;
    }

    /**
     * Has a message published; false if that has to be done otherwise. Of several topics none gets all helpers, so that
     * one that hangs in all it gets leaves some to the others.
     */
    synchronized boolean start(InFlight<?> sent, Route<?> route, boolean oneOfSeveral) {
        if (closed || busy >= size || (oneOfSeveral && route.helpers >= size - size / 4)) {
            return false;
        }
        Helper helper = idle.pollLast();
        try {
            if (helper == null) {
                helper = new Helper();
                sent.helper = helper;
                helper.task = sent;
                // A daemon, since the worker that waits for it keeps the process alive.
                Thread thread = threads.make("publisher-" + ++made, true, helper);
                helper.thread = thread;
                thread.start();
            } else {
                sent.helper = helper;
                helper.task = sent;
                LockSupport.unpark(helper.thread);
            }
        } catch (Throwable e) { // no thread or no memory: no fault of the message
            return false;
        }
        busy++;
        route.helpers++;
        return true;
    }

    /** By the helper, when it is back from the publisher, and before it says so: then it can be had again. */
    synchronized void done(Route<?> route, @Nullable Helper helper) {
        busy--;
        route.helpers--;
        if (helper != null) {
            idle.addLast(helper);
        }
    }

    private synchronized boolean retires(Helper helper) {
        return idle.remove(helper);
    }

    /** Those that are busy come back in their time. */
    synchronized void close() {
        closed = true;
        idle.forEach(helper -> LockSupport.unpark(helper.thread));
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    /** A thread, and the one thing it is to do. */
    final class Helper implements Runnable {
        private volatile @Nullable InFlight<?> task;
        private volatile @Nullable Thread thread;

        @Override
        public void run() {
            long idleSince = System.nanoTime();
            while (true) {
                try {
                    InFlight<?> next = task;
                    if (next != null) {
                        task = null;
                        next.run();
                        idleSince = System.nanoTime();
                    } else if (System.nanoTime() - idleSince > IDLE || isClosed()) {
                        if (retires(this)) {
                            return;
                        }
                    } else {
                        LockSupport.parkNanos(this, IDLE);
                    }
                } catch (Throwable e) {
                    // Not from the publisher, whose failures are the message's; and nothing that may end this thread.
                }
            }
        }
    }
}
