package dev.outbox.tck.internal.explore;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Runs sequences, each in a thread of its own, so that a call that does not return can be told. Uses an outbox and its
 * clients for many sequences, and others after anything went wrong. One thread at a time uses it.
 */
final class Runner implements AutoCloseable {
    /** How long this machine may stand still until nothing more is believed of leases. */
    private static final int PART_OF_LEASE = 4;

    private static final long GLANCE = TimeUnit.MILLISECONDS.toNanos(20);

    /** A glance that is so late shows that this process has to wait for the machine, as the store may have to. */
    private static final long LATE = TimeUnit.MILLISECONDS.toNanos(250);

    /** So much longer a call may take on a machine that is so busy. */
    private static final int MORE_PATIENCE = 10;

    private static final int PLAYS_OF_CLIENTS = 100;
    private static final int PLAYS_OF_OUTBOX = 2_000;
    private static final AtomicInteger PLAYS = new AtomicInteger();

    /** How a sequence ended. */
    enum End {
        KEPT,
        BROKEN,
        /** A message was missing: broken if it always is. */
        MISSING,
        /** A call failed or did not return: broken if it always does. */
        FAILED,
        /** Something outside of the store. */
        UNKNOWN
    }

    /**
     * What was seen.
     *
     * @param rule that is broken, or would be; empty if none is
     * @param ran how many steps were begun
     */
    record Result(End end, String rule, String observed, int ran) {}

    private final Target target;
    private final Duration lease;
    private final Duration patience;
    private @Nullable Clients clients;
    private int plays;
    private long compared;

    /**
     * @param lease how long a hold may outlive its client; zero if it does not
     * @param patience after which a call is said not to return
     */
    Runner(Target target, Duration lease, Duration patience) {
        this.target = target;
        this.lease = lease;
        this.patience = patience;
    }

    /** How many messages were compared with the model so far. */
    long compared() {
        return compared;
    }

    /** As {@link #run}, on an outbox that nobody has used before. */
    Result runAfresh(List<Step> steps) {
        close();
        return run(steps);
    }

    Result run(List<Step> steps) {
        Watched watched = new Watched(steps);
        FutureTask<Result> task = new FutureTask<>(watched::play);
        Thread thread = new Thread(task, "tck-explore");
        thread.setDaemon(true);
        thread.start();
        long longestGlance = 0;
        while (true) {
            long before = System.nanoTime();
            try {
                Result result = task.get(GLANCE, TimeUnit.NANOSECONDS);
                compared += watched.compared.get();
                if (result.end() != End.KEPT) {
                    close();
                }
                boolean stood = !lease.isZero() && longestGlance > lease.toNanos() / PART_OF_LEASE;
                return stood && result.end() != End.KEPT
                        ? new Result(End.UNKNOWN, "", "this machine stood still; " + result.observed(), result.ran())
                        : result;
            } catch (TimeoutException e) {
                longestGlance = Math.max(longestGlance, System.nanoTime() - before);
            } catch (ExecutionException e) {
                close();
                throw new IllegalStateException("The exploration itself failed", e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                thread.interrupt();
                return new Result(End.UNKNOWN, "", "interrupted", watched.ran.get());
            }
            String rule = watched.rule;
            long waited = System.nanoTime() - watched.began;
            if (!rule.isEmpty() && waited > patience(longestGlance).toNanos()) {
                Result hung = new Result(
                        End.FAILED,
                        rule,
                        "a call did not return within " + TimeUnit.NANOSECONDS.toSeconds(waited)
                                + " s. It is here:\n        "
                                + Arrays.stream(thread.getStackTrace())
                                        .limit(12)
                                        .map(Object::toString)
                                        .collect(Collectors.joining("\n        ")),
                        watched.ran.get());
                thread.interrupt();
                abandon();
                return hung;
            }
        }
    }

    /**
     * How long a call may take.
     *
     * @param longestGlance the longest time in nanoseconds between two looks at the call
     */
    Duration patience(long longestGlance) {
        return longestGlance > LATE ? patience.multipliedBy(MORE_PATIENCE) : patience;
    }

    private Clients clients() throws Exception {
        plays++;
        if (clients != null && plays % PLAYS_OF_OUTBOX == 0) {
            close();
        }
        if (clients == null) {
            clients = new Clients(target, lease);
        } else if (plays % PLAYS_OF_CLIENTS == 0) {
            clients.closeAll();
        }
        return clients;
    }

    /** One play, as the thread sees it that waits for it. */
    private final class Watched implements Play.Progress {
        private final List<Step> steps;
        private volatile String rule = "";
        private volatile long began;
        private final AtomicInteger ran = new AtomicInteger();
        private final AtomicLong compared = new AtomicLong();

        Watched(List<Step> steps) {
            this.steps = steps;
        }

        @Override
        public void begins(String rule) {
            this.began = System.nanoTime();
            this.rule = rule;
        }

        @Override
        public void compared(int messages) {
            compared.addAndGet(messages);
        }

        Result play() throws Exception {
            try {
                return play(new Play(clients(), "x" + PLAYS.incrementAndGet() + "t", this));
            } catch (Violation e) {
                End end = e.isMissing() ? End.MISSING : End.BROKEN;
                return new Result(end, e.rule(), String.valueOf(e.getMessage()), ran.get());
            } catch (Unproven e) {
                End end = e.isSurroundings() ? End.UNKNOWN : End.FAILED;
                return new Result(end, e.rule(), String.valueOf(e.getMessage()), ran.get());
            }
        }

        private Result play(Play play) throws Exception {
            try {
                for (Step each : steps) {
                    ran.incrementAndGet();
                    play.run(each);
                }
                play.finish(100);
                return new Result(End.KEPT, "", "", ran.get());
            } finally {
                begins("OBX-LIFE-1");
                play.abandon();
                begins("");
            }
        }
    }

    /** Leaves what hangs to itself. */
    private void abandon() {
        Clients left = clients;
        clients = null;
        Thread thread = new Thread(() -> dropQuietly(left), "tck-explore-end");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() {
        Clients open = clients;
        clients = null;
        dropQuietly(open);
    }

    private static void dropQuietly(@Nullable Clients clients) {
        if (clients != null) {
            Clients.closeQuietly(clients::drop);
        }
    }
}
