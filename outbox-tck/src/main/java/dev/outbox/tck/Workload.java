package dev.outbox.tck;

import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.tck.internal.history.History;
import dev.outbox.tck.internal.network.FaultyProxy.Direction;
import dev.outbox.tck.internal.network.FaultyProxy.Fault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
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
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Writers that commit and roll back, and workers of several clients that check out, publish, fail, give up and release,
 * all at the same time, until everything that was committed is settled. What they did is the {@link History}.
 *
 * @param clients how many stores are opened
 * @param workers how many threads use each of them
 * @param writers how many threads write
 * @param transactions how many each of them begins
 * @param partitions how many partitions the topic has
 * @param seed of everything that is left to chance, except the scheduling of threads
 */
record Workload(int clients, int workers, int writers, int transactions, int partitions, long seed) {
    private static final String TOPIC = "workload";
    private static final long START = System.nanoTime();

    /** What each of them cuts off may have to wait for the end of a lease. */
    private static final int MOST_AIMED = 6;

    /** Monotonic, the same for all threads, and small enough to be read. */
    private static long now() {
        return System.nanoTime() - START;
    }

    /** The same with other chances. */
    Workload withSeed(long other) {
        return new Workload(clients, workers, writers, transactions, partitions, other);
    }

    /** Runs it; through a faulty network if there is one, whose clients are then opened again after every error. */
    History run(TestOutbox outbox, @Nullable Network network) throws Exception {
        return new Run(this, outbox, network, 0).run();
    }

    /** Runs it while the server is killed and started again, a number of times. All clients stay open. */
    History runThroughCrashes(TestOutbox outbox, int crashes) throws Exception {
        return new Run(this, outbox, null, crashes).run();
    }

    /** One run, with what its threads share. */
    private static final class Run {
        private final Workload workload;
        private final TestOutbox outbox;
        private final @Nullable Network network;
        private final int crashes;
        private final Queue<History.Written> written = new ConcurrentLinkedQueue<>();
        private final Queue<History.Delivered> delivered = new ConcurrentLinkedQueue<>();
        private final AtomicInteger batches = new AtomicInteger();
        private final AtomicInteger transactions = new AtomicInteger();
        private final AtomicInteger aimed = new AtomicInteger();
        private final Set<String> settled = ConcurrentHashMap.newKeySet();

        /** Those with an outcome in a close of which nobody knows whether it was done. */
        private final Set<String> maybeSettled = ConcurrentHashMap.newKeySet();

        private volatile boolean stop;

        /** Whether the server is to be killed yet; writers go on until that is done. */
        private volatile boolean crashing;

        /** Whether workers take nothing, so that the server dies with messages that nobody has had yet. */
        private volatile boolean resting;

        Run(Workload workload, TestOutbox outbox, @Nullable Network network, int crashes) {
            this.workload = workload;
            this.outbox = outbox;
            this.network = network;
            this.crashes = crashes;
            this.crashing = crashes > 0;
        }

        History run() throws Exception {
            Set<Thread> running = ConcurrentHashMap.newKeySet();
            ExecutorService threads = Executors.newCachedThreadPool(task -> {
                Thread thread = new Thread(task, "tck-workload");
                thread.setDaemon(true); // one that hangs is reported, and holds up nobody else
                running.add(thread);
                return thread;
            });
            try {
                List<Future<?>> writing = new ArrayList<>();
                List<Future<?>> working = new ArrayList<>();
                Random seeds = new Random(workload.seed());
                for (int i = 0; i < workload.writers(); i++) {
                    Random random = new Random(seeds.nextLong());
                    writing.add(threads.submit(() -> write(random)));
                }
                for (int c = 0; c < workload.clients(); c++) {
                    Client shared = network == null ? outbox.open() : null;
                    for (int w = 0; w < workload.workers(); w++) {
                        Random random = new Random(seeds.nextLong());
                        working.add(threads.submit(() ->
                                shared == null ? workThroughFaults(random) : work(shared.store(), random, () -> stop)));
                    }
                }
                crash(new Random(seeds.nextLong()));
                for (Future<?> each : writing) {
                    get(each, running);
                }
                awaitAllSettled();
                stop = true;
                for (Future<?> each : working) {
                    get(each, running);
                }
                settleTheRest(new Random(seeds.nextLong()));
            } finally {
                stop = true;
                threads.shutdownNow();
            }
            return new History(written, delivered);
        }

        /** Kills the server, each time after some transactions, in the middle of whatever is under way. */
        private void crash(Random random) throws Exception {
            for (int i = 0; i < crashes; i++) {
                resting = i % 2 == 1;
                int next = transactions.get() + 10 + random.nextInt(20);
                outbox.eventually(
                        "writers begin " + next + " transactions", () -> transactions.get() >= next ? true : null);
                LockSupport.parkNanos(random.nextInt(3_000_000));
                outbox.crash();
                resting = false;
            }
            crashing = false;
        }

        /**
         * Waits until all is settled, or nothing has been for a while; what is missing then, the history tells. What
         * may be settled is left to {@link #settleTheRest}, which tells by what comes.
         */
        private void awaitAllSettled() {
            Set<String> missing = committed();
            int last = -1;
            long deadline = 0;
            while (true) {
                missing.removeAll(settled);
                if (maybeSettled.containsAll(missing)) {
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

        private Set<String> committed() {
            return written.stream()
                    .filter(message -> message.committed() == History.End.OK)
                    .map(History.Written::id)
                    .collect(Collectors.toCollection(HashSet::new));
        }

        /** A fresh client finds what closes and commits have left of which nobody knows whether they were done. */
        private void settleTheRest(Random random) throws Exception {
            Duration quiet = outbox.afterDeath().multipliedBy(network == null && crashes == 0 ? 1 : 3);
            Client last = outbox.open();
            long[] until = {System.nanoTime() + quiet.toNanos()};
            int[] before = {batches.get()};
            work(last.store(), random, () -> {
                if (batches.get() != before[0]) {
                    before[0] = batches.get();
                    until[0] = System.nanoTime() + quiet.toNanos();
                }
                return System.nanoTime() > until[0];
            });
        }

        private @Nullable Void write(Random random) throws Exception {
            for (int i = 0; !stop && (i < workload.transactions() || crashing); i++) {
                List<History.Written> messages = new ArrayList<>();
                String name = "transaction " + transactions.incrementAndGet();
                WriteTransaction transaction = begin();
                long ending = 0;
                History.End end = History.End.NOT_DONE;
                try {
                    for (int n = 1 + random.nextInt(4); n > 0; n--) {
                        int partition = random.nextInt(workload.partitions());
                        long began = now();
                        String id = transaction.persistFunc().persist(TestOutbox.message(TOPIC, partition, "m" + i));
                        messages.add(new History.Written(
                                id, TOPIC + "/" + partition, name, began, 0, 0, History.End.UNKNOWN));
                        if (random.nextInt(3) == 0) {
                            // Time for another writer to persist later and commit earlier.
                            LockSupport.parkNanos(random.nextInt(1_500_000));
                        }
                    }
                    ending = now();
                    end = end(transaction, random.nextInt(5) > 0);
                } catch (StoreException e) {
                    tolerate(e); // nothing was committed, since commit was never called
                    ending = now();
                } finally {
                    close(transaction);
                }
                long ended = now();
                for (History.Written m : messages) {
                    written.add(new History.Written(m.id(), m.partition(), name, m.began(), ending, ended, end));
                }
            }
            return null;
        }

        private WriteTransaction begin() throws Exception {
            String address = network == null ? outbox.address() : network.address();
            if (network == null && crashes == 0) {
                return outbox.harness().begin(address);
            }
            return outbox.eventually("a transaction can be begun", () -> {
                try {
                    return outbox.harness().begin(address);
                } catch (Exception e) {
                    return null;
                }
            });
        }

        private void close(AutoCloseable closeable) throws Exception {
            try {
                closeable.close();
            } catch (Exception e) {
                tolerate(e);
            }
        }

        /** Errors are to be expected where the network has faults or the server dies, and nowhere else. */
        private <E extends Exception> void tolerate(E e) throws E {
            if (network == null && crashes == 0) {
                throw e;
            }
        }

        private static History.End end(WriteTransaction transaction, boolean commit) {
            try {
                if (commit) {
                    transaction.commit();
                    return History.End.OK;
                }
                transaction.rollback();
                return History.End.NOT_DONE;
            } catch (Exception e) {
                return commit ? History.End.UNKNOWN : History.End.NOT_DONE;
            }
        }

        private @Nullable Void workThroughFaults(Random random) throws Exception {
            Network faulty = network;
            while (faulty != null && !stop) {
                Store store;
                try {
                    store = faulty.harness().open(faulty.address());
                } catch (Exception e) {
                    TestOutbox.pause();
                    continue;
                }
                try {
                    work(store, random, () -> stop);
                } catch (StoreException e) {
                    // as a relay does whose process was started again
                } finally {
                    close(store);
                }
            }
            return null;
        }

        private interface Stop {
            boolean now();
        }

        private @Nullable Void work(Store store, Random random, Stop until) {
            while (!until.now()) {
                if (resting) {
                    TestOutbox.pause();
                    continue;
                }
                long called = now();
                int limit = 1 + random.nextInt(8);
                MessageBatch batch = checkout(store, limit);
                long returned = now();
                if (batch == null || batch.messages().isEmpty()) {
                    if (batch != null) {
                        batch.close();
                    }
                    TestOutbox.pause();
                    continue;
                }
                if (random.nextInt(2) == 0) {
                    // Time for others to try and take the same; and where they can take another partition, to get round
                    // to it.
                    LockSupport.parkNanos(random.nextInt(limit == 1 ? 10_000_000 : 1_000_000));
                }
                Set<String> marked = mark(batch, random);
                aimAtClose(random);
                long closing = now();
                History.End end = close(batch);
                long closed = now();
                // A hold that no close has confirmed may have ended with the server, at any time.
                long surelyHeld = crashes == 0 || end == History.End.OK ? closing : returned;
                String name = "batch " + batches.incrementAndGet();
                int index = 0;
                for (PersistedMessage m : batch.messages()) {
                    delivered.add(new History.Delivered(
                            m.id(),
                            m.topic() + "/" + m.partition(),
                            name,
                            index++,
                            marked.contains(m.id()),
                            called,
                            returned,
                            surelyHeld,
                            closed,
                            end));
                }
                switch (end) {
                    case OK -> settled.addAll(marked);
                    case UNKNOWN -> maybeSettled.addAll(marked);
                    case NOT_DONE -> {}
                }
            }
            return null;
        }

        /** Null if the server is away, as it may be while it is killed and started again. */
        private @Nullable MessageBatch checkout(Store store, int limit) {
            long called = System.nanoTime();
            try {
                return store.checkout(Set.of(TOPIC), limit);
            } catch (StoreException e) {
                if (crashes == 0) {
                    throw network == null ? outbox.orTookLong("a checkout", called, e) : e;
                }
                return null;
            }
        }

        /**
         * A close takes only a moment, so faults at random times rarely hit one. This arms a few of them when a close
         * begins.
         */
        private void aimAtClose(Random random) {
            if (network != null && random.nextInt(6) == 0 && aimed.getAndIncrement() < MOST_AIMED) {
                Direction direction = random.nextBoolean() ? Direction.REQUESTS : Direction.REPLIES;
                network.proxy().arm(new Fault(direction, 0));
            }
        }

        /** Gives most messages an outcome; returns those that are done with. */
        private static Set<String> mark(MessageBatch batch, Random random) {
            Set<String> marked = new HashSet<>();
            Set<Integer> failed = new HashSet<>();
            for (PersistedMessage m : batch.messages()) {
                int chance = random.nextInt(20);
                // After a failure, nothing more of the partition is published.
                if (failed.contains(m.partition())) {
                    chance = 1;
                }
                if (chance == 0) {
                    batch.markFailed(m, "chance", Duration.ZERO);
                    failed.add(m.partition());
                } else if (chance == 1) {
                    failed.add(m.partition()); // released, with everything after it
                } else if (chance == 2) {
                    batch.deadLetter(m, "chance");
                    marked.add(m.id());
                } else {
                    batch.markPublished(m, null);
                    marked.add(m.id());
                }
            }
            return marked;
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

        private static void get(Future<?> thread, Set<Thread> running) throws Exception {
            try {
                thread.get(2 * TestOutbox.patience().toSeconds(), TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                throw new AssertionError("A thread of the workload failed: " + e.getCause(), e.getCause());
            } catch (TimeoutException e) {
                throw new AssertionError("A thread of the workload does not come back. They are waiting here:"
                        + running.stream()
                                .filter(Thread::isAlive)
                                .map(each -> "\n    "
                                        + Arrays.stream(each.getStackTrace())
                                                .limit(12)
                                                .map(Object::toString)
                                                .collect(Collectors.joining("\n    ")))
                                .collect(Collectors.joining("\n")));
            }
        }
    }
}
