package dev.outbox.tck;

import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import dev.outbox.StoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Writers that commit and roll back, and workers of several clients that check out, publish, fail, give up and release,
 * all at the same time, until everything that was committed is settled. What they did is the {@link History}.
 *
 * @param clients how many stores are opened
 * @param workers how many threads use each of them
 * @param writers how many threads write
 * @param transactions how many each of them begins
 * @param partitions how many partitions the topic has
 * @param seed of everything that is left to chance
 */
record Workload(int clients, int workers, int writers, int transactions, int partitions, long seed) {
    private static final String TOPIC = "workload";
    private static final long START = System.nanoTime();

    /** Monotonic, the same for all threads, and small enough to be read. */
    private static long now() {
        return System.nanoTime() - START;
    }

    History run(TestOutbox outbox) throws Exception {
        Queue<History.Written> written = new ConcurrentLinkedQueue<>();
        Queue<History.Delivered> delivered = new ConcurrentLinkedQueue<>();
        AtomicInteger batches = new AtomicInteger();
        ExecutorService threads = Executors.newCachedThreadPool();
        try {
            List<Future<?>> writing = new ArrayList<>();
            List<Future<?>> working = new ArrayList<>();
            Random seeds = new Random(seed);
            for (int i = 0; i < writers; i++) {
                Random random = new Random(seeds.nextLong());
                writing.add(threads.submit(() -> write(outbox, random, written)));
            }
            Progress progress = new Progress();
            for (int c = 0; c < clients; c++) {
                Client client = outbox.open();
                for (int w = 0; w < workers; w++) {
                    Random random = new Random(seeds.nextLong());
                    working.add(threads.submit(() -> work(client, random, batches, delivered, progress)));
                }
            }
            for (Future<?> each : writing) {
                get(each);
            }
            progress.awaitAllSettled(written);
            progress.stop = true;
            for (Future<?> each : working) {
                get(each);
            }
        } finally {
            threads.shutdownNow();
            threads.awaitTermination(TestOutbox.patience().toSeconds(), TimeUnit.SECONDS);
        }
        return new History(written, delivered);
    }

    /** What is settled so far, and whether to stop. */
    private static final class Progress {
        final Set<String> settled = ConcurrentHashMap.newKeySet();
        volatile boolean stop;

        /** Waits until all is settled, or nothing has been for a while; what is missing then, the history tells. */
        void awaitAllSettled(Queue<History.Written> written) {
            Set<String> missing = new HashSet<>();
            for (History.Written each : written) {
                if (each.committed() == History.End.OK) {
                    missing.add(each.id());
                }
            }
            int last = -1;
            long deadline = 0;
            while (true) {
                missing.removeAll(settled);
                if (missing.isEmpty()) {
                    return;
                }
                if (missing.size() != last) {
                    last = missing.size();
                    deadline = System.nanoTime() + TestOutbox.patience().toNanos();
                } else if (System.nanoTime() > deadline) {
                    return;
                }
                TestOutbox.pause();
            }
        }
    }

    @SuppressWarnings("try") // a harness whose close can be interrupted may be
    private Void write(TestOutbox outbox, Random random, Queue<History.Written> written) throws Exception {
        for (int i = 0; i < transactions; i++) {
            List<History.Written> messages = new ArrayList<>();
            try (WriteTransaction transaction = outbox.harness().begin(outbox.address())) {
                for (int n = 1 + random.nextInt(4); n > 0; n--) {
                    int partition = random.nextInt(partitions);
                    long began = now();
                    String id = transaction.persistFunc().persist(TestOutbox.message(TOPIC, partition, "m" + i));
                    messages.add(new History.Written(id, TOPIC + "/" + partition, began, 0, 0, History.End.UNKNOWN));
                    if (random.nextInt(3) == 0) {
                        // Time for another writer to persist later and commit earlier.
                        LockSupport.parkNanos(random.nextInt(1_500_000));
                    }
                }
                long ending = now();
                History.End end = end(transaction, random.nextInt(5) > 0);
                long ended = now();
                for (History.Written m : messages) {
                    written.add(new History.Written(m.id(), m.partition(), m.began(), ending, ended, end));
                }
            }
        }
        return null;
    }

    private static History.End end(WriteTransaction transaction, boolean commit) throws Exception {
        if (!commit) {
            transaction.rollback();
            return History.End.NOT_DONE;
        }
        try {
            transaction.commit();
            return History.End.OK;
        } catch (Exception e) {
            return History.End.UNKNOWN;
        }
    }

    private static Void work(
            Client client,
            Random random,
            AtomicInteger batches,
            Queue<History.Delivered> delivered,
            Progress progress) {
        while (!progress.stop) {
            long called = now();
            int limit = 1 + random.nextInt(8);
            MessageBatch batch = client.store().checkout(Set.of(TOPIC), limit);
            long returned = now();
            if (batch.messages().isEmpty()) {
                batch.close();
                TestOutbox.pause();
                continue;
            }
            if (random.nextInt(2) == 0) {
                // Time for others to try and take the same; and where they can take another partition, to get round to
                // it.
                LockSupport.parkNanos(random.nextInt(limit == 1 ? 10_000_000 : 1_000_000));
            }
            Set<String> settled = new HashSet<>();
            Set<Integer> failed = new HashSet<>();
            for (PersistedMessage m : batch.messages()) {
                int chance = random.nextInt(20);
                // Behind a failure nothing is started.
                if (failed.contains(m.partition())) {
                    chance = 1;
                }
                if (chance == 0) {
                    batch.markFailed(m, "chance", Duration.ZERO);
                    failed.add(m.partition());
                } else if (chance == 1) {
                    failed.add(m.partition()); // released, with all that is behind it
                } else if (chance == 2) {
                    batch.deadLetter(m, "chance");
                    settled.add(m.id());
                } else {
                    batch.markPublished(m, null);
                    settled.add(m.id());
                }
            }
            long closing = now();
            History.End end = close(batch);
            long closed = now();
            String name = "batch " + batches.incrementAndGet();
            int index = 0;
            for (PersistedMessage m : batch.messages()) {
                delivered.add(new History.Delivered(
                        m.id(),
                        m.topic() + "/" + m.partition(),
                        name,
                        index++,
                        settled.contains(m.id()),
                        called,
                        returned,
                        closing,
                        closed,
                        end));
            }
            if (end != History.End.NOT_DONE) {
                progress.settled.addAll(settled);
            }
        }
        return null;
    }

    private static History.End close(MessageBatch batch) {
        try {
            batch.close();
            return History.End.OK;
        } catch (HoldLostException e) {
            return History.End.NOT_DONE;
        } catch (StoreException e) {
            return History.End.UNKNOWN;
        }
    }

    private static void get(Future<?> thread) throws Exception {
        try {
            thread.get();
        } catch (ExecutionException e) {
            throw new AssertionError("A thread of the workload failed: " + e.getCause(), e.getCause());
        }
    }
}
