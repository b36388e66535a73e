package dev.outbox.relay;

import static dev.outbox.relay.Fixture.LATER;
import static dev.outbox.relay.Fixture.await;
import static dev.outbox.relay.Fixture.topic;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutboxListener;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Partitions, and topics, do not wait for each other. */
class RelayConcurrencyTest {
    private final Fixture fixture = new Fixture();
    private final CountDownLatch over = new CountDownLatch(1);

    /** The test has seen that the topic is left out. */
    private final AtomicBoolean out = new AtomicBoolean();

    private long pending(String topic) {
        return fixture.operations().backlog().stream()
                .filter(b -> b.topic().equals(topic))
                .mapToLong(Operations.Backlog::pending)
                .sum();
    }

    /** At least so many messages in each of so many partitions. */
    private void commitToEach(Topic<String> topic, int partitions, int each) {
        for (int p = 0, found = 0; found < partitions; p++) {
            String key = Integer.toString(p);
            int before = fixture.operations().backlog().size();
            fixture.commit(topic, key + ":0");
            if (fixture.operations().backlog().size() > before) {
                found++;
                for (int i = 1; i < each; i++) {
                    fixture.commit(topic, key + ":" + i);
                }
            }
        }
    }

    /** They meet in the publisher, so they were in it at the same time, with one worker. */
    @Test
    void partitionsOfABatchArePublishedAtATime() {
        for (boolean async : new boolean[] {false, true}) {
            CyclicBarrier all = new CyclicBarrier(8);
            Topic.Builder<String> builder = topic("t" + async).partitions(8);
            Topic<String> topic = (async
                            ? builder.asyncPublisher(d -> {
                                all.await(2, TimeUnit.MINUTES); // as a client that waits for metadata
                                return CompletableFuture.completedStage(Receipt.of("id"));
                            })
                            : builder.publisher(d -> Receipt.of(Integer.toString(all.await(2, TimeUnit.MINUTES)))))
                    .build();
            commitToEach(topic, 8, 1);
            try (Relay relay = Fixture.relay(fixture.store).topic(topic).build()) {
                assertTrue(relay.processMessages(100).published() >= 8);
            }
            assertFalse(all.isBroken());
        }
    }

    @Test
    void eachPartitionStaysInOrderAndAFailureStopsItsOwn() {
        Map<Integer, List<String>> received = new ConcurrentHashMap<>();
        Map<Integer, Thread> inside = new ConcurrentHashMap<>();
        AtomicInteger overlaps = new AtomicInteger();
        AtomicInteger calls = new AtomicInteger();
        Topic<String> topic = topic("t")
                .partitions(12)
                .retry(Fixture.AT_ONCE.withUnlimitedAttempts())
                .publisher(d -> {
                    if (inside.putIfAbsent(d.partition(), Thread.currentThread()) != null) {
                        overlaps.incrementAndGet();
                    }
                    try {
                        LockSupport.parkNanos(300_000);
                        if (calls.incrementAndGet() % 7 == 0) {
                            throw new IOException("now and then");
                        }
                        received.computeIfAbsent(d.partition(), p -> new ArrayList<>())
                                .add(d.message());
                        return Receipt.taken();
                    } finally {
                        inside.remove(d.partition());
                    }
                })
                .build();
        for (int i = 0; i < 400; i++) {
            fixture.commit(topic, i % 40 + ":" + i);
        }
        try (Relay relay = Fixture.relay(fixture.store).topic(topic).workers(2).build()) {
            relay.start();
            await("all settled", () -> pending("t") == 0);
        }
        assertEquals(0, overlaps.get());
        assertEquals(400, received.values().stream().mapToInt(List::size).sum());
        received.values().forEach(messages -> {
            List<Integer> numbers = messages.stream()
                    .map(m -> Integer.parseInt(m.substring(m.indexOf(':') + 1)))
                    .toList();
            assertEquals(numbers.stream().sorted().toList(), numbers);
        });
    }

    /** OBX-RETRY-5 through a relay: whatever the broker of one topic does, the other topic goes on. */
    @Test
    void aTopicWhoseBrokerTimesOutDoesNotHoldUpTheOther() {
        theOtherGoesOn(builder -> builder.publisher(d -> {
            waitInVain();
            throw new IOException("timeout");
        }));
    }

    @Test
    void aTopicWhoseBrokerRefusesDoesNotHoldUpTheOther() {
        theOtherGoesOn(builder -> builder.publisher(d -> {
            over.await(50, TimeUnit.MILLISECONDS);
            throw new IOException("refused");
        }));
    }

    @Test
    void aTopicWhoseBrokerNeverAnswersDoesNotHoldUpTheOther() {
        theOtherGoesOn(builder ->
                builder.publishTimeout(Duration.ofSeconds(1)).asyncPublisher(d -> new CompletableFuture<>()));
    }

    @Test
    void aTopicWhoseClientBlocksDoesNotHoldUpTheOther() {
        theOtherGoesOn(builder -> builder.asyncPublisher(d -> {
            waitInVain();
            throw new IOException("no metadata");
        }));
    }

    /** Once the topic is left out, its tries hang while the other topic is served. */
    private void waitInVain() throws InterruptedException {
        if (out.get()) {
            over.await();
        } else {
            over.await(2, TimeUnit.SECONDS);
        }
    }

    private void theOtherGoesOn(UnaryOperator<Topic.Builder<String>> publisher) {
        AtomicInteger tried = new AtomicInteger();
        Topic<String> away = publisher
                .apply(topic("away").partitions(16).retry(Fixture.AT_ONCE.withUnlimitedAttempts()))
                .build();
        Topic<String> sound = topic("sound")
                .partitions(16)
                .publisher(d -> Receipt.of(Integer.toString(tried.incrementAndGet())))
                .build();
        commitToEach(away, 16, 20);
        commitToEach(sound, 16, 5);
        List<OutboxListener.LeftOut> told = new CopyOnWriteArrayList<>();
        OutboxListener listener = new OutboxListener() {
            @Override
            public void leftOut(LeftOut event) {
                told.add(event);
            }
        };
        AtomicInteger mixed = new AtomicInteger();
        WrappedStore watching = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                boolean isOut = out.get();
                MessageBatch batch = super.checkout(topics, limit);
                long found = batch.messages().stream()
                        .map(PersistedMessage::topic)
                        .distinct()
                        .count();
                mixed.addAndGet(isOut && found > 1 ? 1 : 0);
                return batch;
            }
        };
        int workers = 1;
        try (Relay relay = Fixture.relay(watching)
                .topic(away)
                .topic(sound)
                .workers(workers)
                .maxBatchTime(Duration.ofMillis(500))
                .maxPollInterval(Duration.ofMillis(10))
                .listener(listener)
                .build()) {
            relay.start();
            await("the other is published", () -> pending("sound") == 0);
            await("left out", () -> !relay.state().leftOut().isEmpty());
            out.set(true);
            for (int i = 0; i < 20; i++) {
                fixture.commit(sound, i + ":late");
                await("the other goes on", () -> pending("sound") == 0);
            }
            assertTrue(mixed.get() <= workers, "a batch of a worker may have had both: " + mixed);
            assertEquals("away", relay.state().leftOut().get(0).topic());
            assertTrue(pending("away") > 0);
            over.countDown();
        }
        assertEquals(1, told.size());
    }

    /** It is found out with one message at a time that the broker is back, and then everything is published. */
    @Test
    void aTopicIsBackWhenItsBrokerIs() {
        AtomicBoolean away = new AtomicBoolean(true);
        AtomicInteger tries = new AtomicInteger();
        Topic<String> topic = topic("t")
                .partitions(16)
                .retry(Fixture.AT_ONCE.withUnlimitedAttempts())
                .publisher(d -> {
                    tries.incrementAndGet();
                    if (away.get()) {
                        throw new IOException("away");
                    }
                    return Receipt.taken();
                })
                .build();
        AtomicInteger batches = new AtomicInteger();
        AtomicInteger closed = new AtomicInteger();
        WrappedStore counting = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                MessageBatch batch = super.checkout(topics, limit);
                batches.addAndGet(batch.messages().isEmpty() ? 0 : 1);
                return new Batch(batch) {
                    @Override
                    public void close() {
                        super.close();
                        closed.incrementAndGet();
                    }
                };
            }
        };
        commitToEach(topic, 16, 4);
        try (Relay relay = Fixture.relay(counting).topic(topic).speed(200).build()) {
            relay.start();
            await("left out", () -> !relay.state().leftOut().isEmpty());
            await("the batch that found it out is closed", () -> closed.get() > 0);
            int batchesBefore = batches.get();
            int before = tries.get();
            await("probed", () -> tries.get() >= before + 8);
            int after = tries.get();
            assertTrue(
                    after - before <= batches.get() - batchesBefore + 2,
                    () -> "tries: " + before + " to " + after + ", batches: " + batchesBefore + " to " + batches);
            away.set(false);
            await("all published", () -> pending("t") == 0);
            await("nothing is left out", () -> relay.state().leftOut().isEmpty());
        }
    }

    /** The batch of a caller that tries both has a topic that fails and one whose publisher does not return. */
    @Test
    void aTopicIsTriedAgainAlthoughTheRoundThatTriedItHangsInAnother() throws Exception {
        AtomicBoolean away = new AtomicBoolean(true);
        AtomicInteger tries = new AtomicInteger();
        AtomicInteger published = new AtomicInteger();
        CountDownLatch inside = new CountDownLatch(1);
        Topic<String> left = topic("left")
                .partitions(8)
                .publisher(d -> {
                    boolean isAway = away.get(); // asked first, because the test waits for the try
                    tries.incrementAndGet();
                    if (isAway) {
                        throw new BrokerUnavailableException("away");
                    }
                    return Receipt.of(Integer.toString(published.incrementAndGet()));
                })
                .build();
        Topic<String> hangs = topic("hangs")
                .publishTimeout(Duration.ofMillis(5))
                .publisher(d -> {
                    inside.countDown();
                    over.await();
                    return Receipt.taken();
                })
                .build();
        fixture.commit(left, "0:x");
        try (Relay relay =
                Fixture.relay(fixture.store).topic(left).topic(hangs).speed(10).build()) {
            relay.processMessages(10);
            await("it is due", () -> !relay.state().leftOut().get(0).until().isAfter(Instant.now()));
            fixture.commit(hangs, "k:1");
            Thread caller = new Thread(() -> relay.processMessages(10));
            caller.start();
            inside.await();
            await("tried by the caller", () -> tries.get() == 2);
            away.set(false);
            commitToEach(left, 7, 1);
            await("published by another", () -> {
                relay.processMessages(100);
                return published.get() > 0;
            });
            assertEquals(2 + published.get(), tries.get());
            over.countDown();
            caller.join();
        }
    }

    /** Nobody else looks after the hold meanwhile: the relay asks also while it only waits. */
    @Test
    void theHoldIsLookedAfterWhileAPublisherTakesItsTime() {
        AtomicInteger asked = new AtomicInteger();
        WrappedStore watching = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                return new Batch(super.checkout(topics, limit)) {
                    @Override
                    public boolean isHeld() {
                        asked.incrementAndGet();
                        return super.isHeld();
                    }
                };
            }
        };
        Topic<String> topic = topic("t")
                .partitions(4)
                .publisher(d -> {
                    over.await(2, TimeUnit.MINUTES);
                    return Receipt.taken();
                })
                .build();
        commitToEach(topic, 2, 1);
        try (Relay relay = Fixture.relay(watching).topic(topic).build()) {
            relay.start();
            await("asked while it waits", () -> asked.get() >= 3);
            over.countDown();
            await("settled", () -> pending("t") == 0);
        }
    }

    @Test
    void aPublisherOnAHelperMayCloseItsRelayAndIsInterruptedWhenItTakesTooLong() {
        CompletableFuture<Relay> self = new CompletableFuture<>();
        CountDownLatch closed = new CountDownLatch(2);
        CyclicBarrier all = new CyclicBarrier(4);
        AtomicInteger interrupted = new AtomicInteger();
        Topic<String> topic = topic("t")
                .partitions(4)
                .publisher(d -> {
                    all.await(2, TimeUnit.MINUTES);
                    if (d.partition() % 2 == 0) {
                        self.join().close(); // returns at once, or this would wait for itself
                        closed.countDown();
                        return Receipt.taken();
                    }
                    try {
                        over.await();
                        return Receipt.taken();
                    } catch (InterruptedException e) {
                        interrupted.incrementAndGet();
                        throw e;
                    }
                })
                .build();
        commitToEach(topic, 4, 1);
        long committed = pending("t");
        Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .shutdownTimeout(Duration.ofMillis(50))
                .build();
        self.complete(relay);
        relay.start();
        await("closed from inside, twice", () -> closed.getCount() == 0);
        relay.close();
        await("both were interrupted", () -> interrupted.get() == 2);
        await("the others are settled", () -> pending("t") == committed - 2);
        assertEquals(List.of(), fixture.operations().failingPartitions());
    }

    /** A client that forgets a future must not keep the payloads of the batch with it. */
    @Test
    void aStageThatIsForgottenKeepsNothing() throws Exception {
        CompletableFuture<Receipt> forgotten = new CompletableFuture<>();
        Topic<String> topic = topic("t")
                .retry(LATER)
                .publishTimeout(Duration.ofMillis(5))
                .asyncPublisher(d -> forgotten)
                .build();
        fixture.commit(topic, "k:1");
        List<WeakReference<MessageBatch>> batches = new ArrayList<>();
        WrappedStore watching = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                Batch batch = new Batch(super.checkout(topics, limit));
                batches.add(new WeakReference<>(batch));
                return batch;
            }
        };
        List<WeakReference<Object>> messages = new ArrayList<>();
        OutboxListener listener = new OutboxListener() {
            @Override
            public void failed(Failed event) {
                messages.add(new WeakReference<>(event.message()));
            }
        };
        try (Relay relay =
                Fixture.relay(watching).topic(topic).listener(listener).build()) {
            assertEquals(1, relay.processMessages(10).failed());
            await("collected", () -> {
                System.gc();
                return batches.get(0).get() == null && messages.get(0).get() == null;
            });
        }
        assertFalse(forgotten.isDone());
    }

    /** Also if all helpers come back at the moment when none was free for the last of them. */
    @Test
    void aRoundPublishesAllPartitionsThatItHas() {
        Topic<String> topic = topic("t")
                .partitions(64)
                .publisher(d -> {
                    LockSupport.parkNanos(1_000);
                    return Receipt.taken();
                })
                .build();
        try (Relay relay =
                Fixture.relay(fixture.store).topic(topic).publishers(3).build()) {
            for (int i = 0; i < 1_000; i++) {
                commitToEach(topic, 8, 1);
                long committed = pending("t");
                assertEquals(committed, relay.processMessages(100).published(), "in round " + i);
            }
        }
    }

    /** As many as there are partitions, also when it is known how long a call takes, and never two of one partition. */
    @Test
    void aSlowPublisherIsCalledForAllPartitionsAtATime() {
        assertEquals(16, mostCallsAtATime(16));
        assertEquals(1, mostCallsAtATime(1));
    }

    private static int mostCallsAtATime(int partitions) {
        Fixture fixture = new Fixture();
        AtomicInteger calls = new AtomicInteger();
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Topic<String> topic = topic("t")
                .partitions(partitions)
                .publisher(d -> {
                    int now = inside.incrementAndGet();
                    try {
                        if (calls.incrementAndGet() > partitions) { // the first ones only show that it is slow
                            most.accumulateAndGet(now, Math::max);
                            await("all are in it", () -> most.get() >= partitions);
                        } else {
                            LockSupport.parkNanos(1_000_000);
                        }
                        return Receipt.taken();
                    } finally {
                        inside.decrementAndGet();
                    }
                })
                .build();
        for (int i = 0; i < 400; i++) {
            fixture.commit(topic, i + ":x");
        }
        try (Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .maxBatchTime(Duration.ofMinutes(1))
                .build()) {
            assertEquals(400, relay.processMessages(1000).published());
        }
        return most.get();
    }
}
