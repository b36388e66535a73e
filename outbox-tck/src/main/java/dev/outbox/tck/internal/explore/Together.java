package dev.outbox.tck.internal.explore;

import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Two calls at the same time. */
final class Together {
    private static final long LONGEST_START_SECONDS = 10;

    private Together() {}

    /** Makes both calls, the second in a thread of its own, and returns when both have returned. */
    static void call(Play.Act one, Play.Act other) throws Exception {
        CyclicBarrier start = new CyclicBarrier(2);
        FutureTask<Boolean> beside = new FutureTask<>(() -> {
            await(start);
            other.call();
            return true;
        });
        Thread thread = new Thread(beside, "tck-explore-meanwhile");
        thread.setDaemon(true);
        thread.start();
        await(start);
        Exception failure = null;
        try {
            one.call();
        } catch (Exception e) {
            failure = e;
        }
        try {
            beside.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            failure = failure == null && e.getCause() instanceof Exception cause ? cause : failure;
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** A machine may be too busy to start both in time. */
    private static void await(CyclicBarrier start) throws Exception {
        try {
            start.await(LONGEST_START_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException | BrokenBarrierException e) {
            throw Unproven.surroundings("two calls were not started together within " + LONGEST_START_SECONDS + " s");
        }
    }
}
