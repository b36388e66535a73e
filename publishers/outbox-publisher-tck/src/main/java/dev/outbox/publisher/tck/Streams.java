package dev.outbox.publisher.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.Delivery;
import dev.outbox.PermanentFailureException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Publishes without end, as a relay does: the messages of a partition one after the other, a number of them in flight,
 * and after a failure those that failed again before anything new.
 */
final class Streams {
    private static final int PARTITIONS = 4;
    private static final int PROGRESS = 24;
    private static final int STAGGER = 25;

    private final Bench bench;
    private final AsyncBrokerPublisher<String> publisher;
    private final List<Thread> threads = new ArrayList<>();
    private final Queue<Delivery<String>> started = new ConcurrentLinkedQueue<>();
    private final Queue<String> taken = new ConcurrentLinkedQueue<>();
    private final Queue<Throwable> broken = new ConcurrentLinkedQueue<>();
    private final AtomicLong[] receipts = new AtomicLong[PARTITIONS];
    private final AtomicLong[] failures = new AtomicLong[PARTITIONS];
    private volatile boolean stopped;

    private volatile boolean isBack = true;

    Streams(Bench bench, AsyncBrokerPublisher<String> publisher) {
        this.bench = bench;
        this.publisher = publisher;
        for (int partition = 0; partition < PARTITIONS; partition++) {
            receipts[partition] = new AtomicLong();
            failures[partition] = new AtomicLong();
        }
    }

    void start() {
        for (int partition = 0; partition < PARTITIONS; partition++) {
            int number = partition;
            Thread thread = new Thread(() -> run(number), "tck-partition-" + number);
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
    }

    void stop() throws InterruptedException {
        stopped = true;
        for (Thread thread : threads) {
            thread.join(Patience.get().toMillis());
            assertTrue(!thread.isAlive(), thread.getName() + " still waits for an answer");
        }
        Throwable thrown = broken.poll();
        if (thrown != null) {
            throw new AssertionError("Publishing went wrong: " + thrown, thrown);
        }
    }

    private void run(int partition) {
        try {
            while (!stopped) {
                window(partition);
            }
        } catch (Exception | AssertionError e) {
            broken.add(e);
        }
    }

    /** Publishes some new messages of a partition, and does not return before the publisher has taken all of them. */
    private void window(int partition) throws Exception {
        Deque<Delivery<String>> open = new ArrayDeque<>();
        for (int i = 0; i < bench.harness().inFlight(); i++) {
            Delivery<String> delivery = next(partition);
            started.add(delivery);
            open.add(delivery);
        }
        long deadline = System.nanoTime() + 2 * Patience.get().toNanos();
        while (!open.isEmpty()) {
            Deque<Delivery<String>> failed = attempt(partition, open);
            if (failed.size() == open.size() && System.nanoTime() - deadline > 0) {
                throw new AssertionError("No receipt for " + failed.peek() + " within " + Patience.get());
            }
            open = failed;
            Thread.sleep(open.isEmpty() ? 4 : 50); // there is no hurry: readers have to keep up
        }
    }

    /** Messages are made by several threads. */
    private Delivery<String> next(int partition) {
        synchronized (bench) {
            return bench.message(partition);
        }
    }

    /**
     * Publishes messages in their order, and returns those that failed. Nothing is started after a failure, except one
     * message: a relay may have decided to start it just before, and its thread may stand still then. In every other
     * partition it is started when the broker is back. So that there is one, the last message waits for the others. A
     * relay knows of a message that has failed when {@code publish} returns.
     */
    private Deque<Delivery<String>> attempt(int partition, Deque<Delivery<String>> deliveries) throws Exception {
        List<Answer> answers = new ArrayList<>();
        Deque<Delivery<String>> left = new ArrayDeque<>(deliveries);
        boolean failed = false;
        while (!left.isEmpty() && !failed) {
            if (left.size() == 1) {
                Patience.await("the messages before are answered", () -> areAnswered(answers));
            }
            failed = answers.stream().anyMatch(Streams::hasFailed);
            if (failed) {
                failures[partition].incrementAndGet();
                if (partition % 2 == 0) {
                    Patience.await("the broker is back", () -> isBack || stopped);
                }
            }
            Answer answer = Answer.to(left.remove(), publisher);
            answers.add(answer);
            if (hasFailed(answer)) {
                break;
            }
            if (deliveries.size() > 1 && !failed) {
                Thread.sleep(STAGGER); // those that wait together must not fail together
            }
        }
        Deque<Delivery<String>> again = new ArrayDeque<>();
        for (Answer answer : answers) {
            Throwable failure = answer.failureOrNull();
            if (failure instanceof PermanentFailureException) {
                throw new AssertionError(answer.name() + " was refused for good: " + failure, failure);
            }
            if (failure == null) {
                taken.add(answer.delivery().id());
                receipts[partition].incrementAndGet();
            } else {
                again.add(answer.delivery());
                failures[partition].incrementAndGet();
            }
        }
        again.addAll(left);
        return again;
    }

    private static boolean areAnswered(List<Answer> answers) {
        return answers.stream().allMatch(Answer::isThere) || answers.stream().anyMatch(Streams::hasFailed);
    }

    private static boolean hasFailed(Answer answer) {
        try {
            return answer.isThere() && answer.failureOrNull() != null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** Returns once every partition has gone on by some messages. */
    void awaitProgress() throws Exception {
        await("every partition goes on", receipts, values(receipts), PROGRESS);
    }

    /** Causes a fault, until a message of every partition has failed, and returns once every partition goes on. */
    void survive(BrokerFault fault) throws Exception {
        isBack = false;
        long[] before = values(failures);
        bench.during(fault, () -> await("a message of every partition fails", failures, before, 1));
        isBack = true;
        awaitProgress();
    }

    private static long[] values(AtomicLong[] counts) {
        return Arrays.stream(counts).mapToLong(AtomicLong::get).toArray();
    }

    private void await(String what, AtomicLong[] counts, long[] before, int more) throws Exception {
        for (int partition = 0; partition < PARTITIONS; partition++) {
            int number = partition;
            Patience.await(what, () -> !broken.isEmpty() || counts[number].get() >= before[number] + more);
        }
    }

    /** Compares what was published with what arrived. */
    void check(List<ReceivedMessage> received) {
        Map<String, @Nullable Integer> places = new HashMap<>();
        Map<String, List<String>> expected = new HashMap<>();
        for (Delivery<String> delivery : started) {
            List<String> ofKey = expected.computeIfAbsent(String.valueOf(delivery.key()), key -> new ArrayList<>());
            places.put(delivery.id(), ofKey.size());
            ofKey.add(delivery.id());
        }
        Set<String> seen = new HashSet<>();
        Map<String, Integer> last = new HashMap<>();
        List<String> inversions = new ArrayList<>();
        for (ReceivedMessage message : received) {
            Integer place = places.get(message.id());
            if (place != null && seen.add(message.id())) {
                String key = String.valueOf(message.key());
                Integer before = last.put(key, place);
                if (before != null && before > place) {
                    inversions.add("number " + place + " of " + key + " first came after number " + before);
                }
            }
        }
        assertEquals(List.of(), inversions, "inversions among " + seen.size() + " messages");
        List<String> lost = taken.stream().filter(id -> !seen.contains(id)).toList();
        assertEquals(List.of(), lost, "messages with a receipt that did not arrive, of " + taken.size());
    }
}
