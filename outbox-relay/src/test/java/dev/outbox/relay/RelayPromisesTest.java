package dev.outbox.relay;

import static dev.outbox.relay.Fixture.await;
import static dev.outbox.relay.Fixture.topic;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxListener;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers that the documentation of a relay names. */
@Timeout(300)
class RelayPromisesTest {
    private final Fixture fixture = new Fixture();

    /** One message with each of that many keys. */
    private void commitToEach(Topic<String> topic, int keys) {
        for (int key = 0; key < keys; key++) {
            fixture.commit(topic, key + ":m");
        }
    }

    /** A relay of one worker that calls publishers itself, one message at a time. */
    private Relay.Builder alone(Topic<String> topic) {
        return Fixture.relay(fixture.store).topic(topic).batchSize(1).publishers(1);
    }

    /** Of several topics none gets more than three quarters of the threads that call publishers. */
    @Test
    void aTopicThatHangsLeavesPublishersToOthers() {
        CountDownLatch over = new CountDownLatch(1);
        AtomicInteger hanging = new AtomicInteger();
        CyclicBarrier two = new CyclicBarrier(2);
        AtomicInteger published = new AtomicInteger();
        Topic<String> hangs = topic("hangs")
                .partitions(64)
                .publisher(d -> {
                    hanging.incrementAndGet();
                    over.await();
                    return Receipt.taken();
                })
                .build();
        Topic<String> goes = topic("goes")
                .partitions(64)
                .publisher(d -> {
                    if (published.get() == 0) {
                        two.await(2, TimeUnit.MINUTES); // the first two at a time, or none
                    }
                    published.incrementAndGet();
                    return Receipt.taken();
                })
                .build();
        commitToEach(hangs, 64);
        try (Relay relay = Fixture.relay(fixture.store)
                .topic(hangs)
                .topic(goes)
                .publishers(8)
                .build()) {
            relay.start();
            await("the topic has all the publishers that it can get", () -> hanging.get() >= 6);
            for (int key = 0; key < 16; key++) {
                fixture.commit(goes, key + ":m");
            }
            assertEquals(16, relay.processMessages(100).published(), "of the other topic");
            assertEquals(6, hanging.get(), "publishers of 8 that hang in one topic of two");
            over.countDown();
        }
    }

    /** Each worker has one batch open, and those that see whether a broker is back have two together. */
    @Test
    void aRelayHasAsManyBatchesOpenAsItHasWorkersAndTwoMore() {
        AtomicInteger open = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        AtomicInteger away = new AtomicInteger();
        List<Topic<String>> topics = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            topics.add(topic("away" + i)
                    .publisher(d -> {
                        away.incrementAndGet();
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
                        throw new BrokerUnavailableException("away");
                    })
                    .build());
        }
        Topic<String> slow = topic("slow")
                .partitions(64)
                .publisher(d -> {
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
                    return Receipt.taken();
                })
                .build();
        topics.forEach(topic -> fixture.commit(topic, "k:m"));
        Relay.Builder builder = Fixture.relay(new WrappedStore(fixture.store) {
                    @Override
                    public MessageBatch checkout(Set<String> asked, int limit) {
                        most.accumulateAndGet(open.incrementAndGet(), Math::max);
                        return new Batch(super.checkout(asked, limit)) {
                            @Override
                            public void close() {
                                try {
                                    super.close();
                                } finally {
                                    open.decrementAndGet();
                                }
                            }
                        };
                    }
                })
                .topic(slow)
                .workers(2)
                .batchSize(4)
                .speed(50);
        topics.forEach(builder::topic);
        try (Relay relay = builder.build()) {
            relay.start();
            int[] written = {0};
            await("each topic was tried some times", () -> {
                fixture.commit(slow, written[0]++ + ":m");
                return away.get() >= 30;
            });
        }
        assertEquals(0, open.get(), "batches that are open when the relay is closed");
        assertTrue(most.get() <= 4, "batches that were open at a time, with two workers: " + most);
        assertTrue(most.get() >= 2, "two workers were at work: " + most);
    }

    /** Whether the workers call the publisher themselves, or helpers do. */
    @ParameterizedTest
    @ValueSource(ints = {1, 16})
    void aTopicWhosePublisherHangsLeavesAWorkerToOthers(int publishers) {
        CountDownLatch over = new CountDownLatch(1);
        AtomicInteger hanging = new AtomicInteger();
        ConcurrentLinkedQueue<String> went = new ConcurrentLinkedQueue<>();
        Topic<String> hangs = topic("hangs")
                .partitions(16)
                .publishTimeout(Duration.ofMillis(300))
                .publisher(d -> {
                    hanging.incrementAndGet();
                    over.await();
                    return Receipt.taken();
                })
                .build();
        Topic<String> goes = topic("goes")
                .publisher(d -> {
                    went.add(d.message());
                    return Receipt.taken();
                })
                .build();
        commitToEach(hangs, 16);
        int workers = 3;
        try (Relay relay = Fixture.relay(fixture.store)
                .topic(hangs)
                .topic(goes)
                .workers(workers)
                .batchSize(1)
                .publishers(publishers)
                .speed(20)
                .build()) {
            relay.start();
            await("all workers hang", () -> hanging.get() >= workers);
            for (int i = 0; i < 100; i++) {
                fixture.commit(goes, i + ":m");
            }
            await("the messages of the other topic are published", () -> went.size() == 100);
            assertEquals(
                    "hangs",
                    relay.state().leftOut().stream()
                            .map(RelayState.LeftOut::topic)
                            .findFirst()
                            .orElse(""));
            await("as many workers as before", () -> relay.state().workersAlive() == workers);
            over.countDown();
            await("the messages that hung are published", () -> hanging.get() == 16);
            await("the topic is back", () -> relay.state().leftOut().isEmpty());
            await(
                    "one worker has gone",
                    () -> Thread.getAllStackTraces().keySet().stream()
                                    .filter(thread -> thread.getName().matches("outbox-relay-\\d+-worker-\\d+"))
                                    .count()
                            == workers);
        }
    }

    /** Neither the worker nor those that see whether the broker is back ever return. */
    @Test
    void aTopicIsBackThoughEveryCallBeforeHangs() {
        CountDownLatch over = new CountDownLatch(1);
        AtomicInteger calls = new AtomicInteger();
        AtomicInteger hanging = new AtomicInteger();
        Topic<String> topic = topic("t")
                .partitions(64)
                .publishTimeout(Duration.ofMillis(100))
                .publisher(d -> {
                    if (calls.incrementAndGet() <= 4) {
                        hanging.incrementAndGet();
                        over.await();
                    }
                    return Receipt.taken();
                })
                .build();
        commitToEach(topic, 64);
        try (Relay relay = alone(topic).speed(20).build()) {
            relay.start();
            await("what does not wait for a message that hangs is published", () -> {
                fixture.commit(topic, calls.get() + ":more");
                return calls.get() > 100;
            });
            await("the first four hang", () -> hanging.get() == 4);
            await("one worker, as before", () -> relay.state().workersAlive() == 1);
            over.countDown();
        }
    }

    /** A relay does without eight that hang, and not without all of them. */
    @Test
    void aRelayOpensNoEndOfBatchesForAPublisherThatHangs() {
        CountDownLatch over = new CountDownLatch(1);
        AtomicInteger hanging = new AtomicInteger();
        Topic<String> topic = topic("t")
                .partitions(64)
                .publishTimeout(Duration.ofMillis(1))
                .publisher(d -> {
                    hanging.incrementAndGet();
                    over.await();
                    return Receipt.taken();
                })
                .build();
        commitToEach(topic, 64);
        try (Relay relay = alone(topic).speed(1000).build()) {
            relay.start();
            await("it has done without eight", () -> hanging.get() >= 9);
            long later = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(300);
            await("many pauses of the relay are over", () -> System.nanoTime() - later > 0);
            assertTrue(hanging.get() <= 8 + 2, "eight, and two that are tried: " + hanging);
            over.countDown();
        }
    }

    /** A relay without workers: a thread of the application hangs in the publisher, and others go on. */
    @Test
    void aCallerWhosePublisherHangsLeavesTheOtherTopicsToOtherCallers() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        CountDownLatch probeOver = new CountDownLatch(1);
        AtomicInteger calls = new AtomicInteger();
        ConcurrentLinkedQueue<String> told = new ConcurrentLinkedQueue<>();
        Topic<String> hangs = topic("hangs")
                .partitions(64)
                .publishTimeout(Duration.ofMillis(100))
                .publisher(d -> {
                    int call = calls.incrementAndGet();
                    if (call == 1) {
                        over.await();
                    } else if (call == 2) {
                        probeOver.await();
                    }
                    return Receipt.taken();
                })
                .build();
        Topic<String> goes = topic("goes").publisher(d -> Receipt.taken()).build();
        commitToEach(hangs, 64);
        try (Relay relay = Fixture.relay(fixture.store)
                .topic(hangs)
                .topic(goes)
                .publishers(1)
                .speed(20)
                .listener(new OutboxListener() {
                    @Override
                    public void leftOut(LeftOut event) {
                        told.add(event.topic() + ": " + event.cause().getMessage());
                    }
                })
                .build()) {
            Thread caller = new Thread(() -> relay.processMessages(1));
            caller.start();
            await("a listener is told", () -> !told.isEmpty());
            assertEquals(
                    "hangs: A publisher has not returned within PT0.1S; its client needs a shorter time limit",
                    told.peek());
            fixture.commit(goes, "k:1", "k:2");
            Thread second = new Thread(() -> {
                while (calls.get() == 1) {
                    relay.processMessages(2);
                }
            });
            second.start();
            await("the next caller tries the topic", () -> calls.get() == 2);
            await("the topic is back, although those two calls hang", () -> {
                relay.processMessages(2);
                return relay.state().leftOut().isEmpty();
            });
            await("messages that those two do not hold are published", () -> {
                relay.processMessages(100);
                return calls.get() > 32;
            });
            over.countDown();
            probeOver.countDown();
            caller.join();
            second.join();
            await("nothing is left", () -> {
                relay.processMessages(100);
                return fixture.operations().backlog().isEmpty();
            });
            assertEquals(64, calls.get());
            await(
                    "no thread of a relay that nobody calls is left",
                    () -> Thread.getAllStackTraces().keySet().stream()
                            .noneMatch(thread -> thread.getName().matches("outbox-relay-\\d+-watch")));
        }
    }

    /** In which code a call may hang. */
    enum Hanging {
        SYNCHRONOUS,
        HELPERS,
        ASYNCHRONOUS,
        CALLER_RUNS
    }

    /** More than the eight for which there is room in addition to that of each topic. */
    @ParameterizedTest
    @EnumSource
    void twelveTopicsOfTwentyThatHangLeaveAWorkerToTheOthers(Hanging how) throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        AtomicInteger hanging = new AtomicInteger();
        ConcurrentLinkedQueue<String> arrived = new ConcurrentLinkedQueue<>();
        ConcurrentLinkedQueue<String> went = new ConcurrentLinkedQueue<>();
        ThreadPoolExecutor callerRuns = new ThreadPoolExecutor(
                1, 1, 1, TimeUnit.MINUTES, new SynchronousQueue<>(), new ThreadPoolExecutor.CallerRunsPolicy());
        List<Topic<String>> hang = new ArrayList<>();
        List<Topic<String>> go = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Topic.Builder<String> builder = topic("t" + i).partitions(8).publishTimeout(Duration.ofMillis(100));
            if (i >= 12) {
                go.add(builder.publisher(d -> {
                            went.add(d.topic() + "/" + d.message());
                            return Receipt.taken();
                        })
                        .build());
                continue;
            }
            Callable<Receipt> hangs = () -> {
                hanging.incrementAndGet();
                over.await();
                return Receipt.taken();
            };
            if (how == Hanging.CALLER_RUNS) {
                builder.asyncPublisher(d -> CompletableFuture.supplyAsync(
                        () -> {
                            arrived.add(d.id());
                            return call(hangs);
                        },
                        callerRuns));
            } else if (how == Hanging.ASYNCHRONOUS) {
                builder.asyncPublisher(d -> {
                    arrived.add(d.id());
                    return CompletableFuture.completedFuture(hangs.call());
                });
            } else {
                builder.publisher(d -> {
                    arrived.add(d.id());
                    return hangs.call();
                });
            }
            hang.add(builder.build());
        }
        Set<String> ids = new HashSet<>();
        for (Topic<String> topic : hang) {
            for (int key = 0; key < 16; key++) {
                ids.addAll(fixture.commit(topic, key + ":m"));
            }
        }
        int workers = 2;
        Relay.Builder builder = Fixture.relay(fixture.store)
                .workers(workers)
                .batchSize(1)
                .publishers(how == Hanging.HELPERS ? 16 : 1)
                .speed(20);
        hang.forEach(builder::topic);
        go.forEach(builder::topic);
        try (Relay relay = builder.build()) {
            relay.start();
            await("twelve topics hang, and are tried as often as there is room", () -> {
                Set<String> out = new HashSet<>();
                relay.state().leftOut().forEach(each -> out.add(each.topic()));
                return out.size() == 12 && hanging.get() >= 12 + HangingBatches.MORE;
            });
            for (int message = 0; message < 50; message++) {
                for (Topic<String> topic : go) {
                    fixture.commit(topic, message % 5 + ":" + message);
                }
            }
            await("the messages of the other topics are published", () -> went.size() >= 8 * 50);
            long later = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(300);
            await("many pauses of the relay are over", () -> System.nanoTime() - later > 0);
            int most = 12 + HangingBatches.MORE + workers + 2;
            assertTrue(hanging.get() <= most, "calls that hang, of " + most + " at most: " + hanging);
            assertTrue(relay.state().workersAlive() >= 1, () -> "workers: " + relay.state());
            over.countDown();
            await(
                    "the messages that hung are published",
                    () -> arrived.containsAll(ids)
                            && fixture.operations().backlog().isEmpty());
            await("all topics are back", () -> relay.state().leftOut().isEmpty());
            await("as many workers as before", () -> relay.state().workersAlive() == workers);
            assertEquals(8 * 50, went.size(), "messages of the other topics, each once");
            if (how == Hanging.SYNCHRONOUS || how == Hanging.HELPERS) {
                assertEquals(ids.size(), arrived.size(), "messages that hung, each once");
            }
        } finally {
            over.countDown();
            callerRuns.shutdown();
        }
    }

    private static Receipt call(Callable<Receipt> publisher) {
        try {
            return publisher.call();
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    /** From the start of decoding until the answer, so at least as long as the publisher took. */
    @Test
    void aListenerHearsHowLongPublishingTook() {
        ConcurrentLinkedQueue<OutboxListener.Published> heard = new ConcurrentLinkedQueue<>();
        Duration taken = Duration.ofMillis(30);
        Topic<String> topic = topic("t")
                .publisher(d -> {
                    LockSupport.parkNanos(taken.toNanos());
                    return Receipt.of("id");
                })
                .build();
        fixture.commit(topic, "k:1", "k:2");
        long began = System.nanoTime();
        try (Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .listener(new OutboxListener() {
                    @Override
                    public void published(Published event) {
                        heard.add(event);
                    }
                })
                .build()) {
            assertEquals(2, relay.processMessages(10).published());
        }
        Duration all = Duration.ofNanos(System.nanoTime() - began);
        assertEquals(2, heard.size());
        for (OutboxListener.Published event : heard) {
            assertTrue(event.duration().compareTo(taken) >= 0, "at least what the publisher took: " + event.duration());
            assertTrue(event.duration().compareTo(all) <= 0, "at most what the round took: " + event.duration());
        }
    }
}
