package dev.outbox.tck.internal.explore;

import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** Two calls at the same time. */
final class Together {
    private static final long LONGEST_START_SECONDS = 10;

    private Together() {}

    /** Makes both calls, the second in a thread of its own, and returns when both have returned. */
    static void call(Play.Act one, Play.Act other) throws Exception {
        CyclicBarrier start = new CyclicBarrier(2);
        FutureTask<Boolean> beside = new FutureTask<>(() -> {
            start.await(LONGEST_START_SECONDS, TimeUnit.SECONDS);
            other.call();
            return true;
        });
        Thread thread = new Thread(beside, "tck-explore-meanwhile");
        thread.setDaemon(true);
        thread.start();
        start.await(LONGEST_START_SECONDS, TimeUnit.SECONDS);
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
}
