package dev.outbox.relay;

import static dev.outbox.relay.Fixture.AT_ONCE;
import static dev.outbox.relay.Fixture.LATER;
import static dev.outbox.relay.Fixture.await;
import static dev.outbox.relay.Fixture.topic;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.MessageBatch;
import dev.outbox.OutboxListener;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import dev.outbox.relay.Fixture.Broker;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class RelayAsyncTest {
    private final Fixture fixture = new Fixture();
    private final SlowBroker broker = new SlowBroker();

    /** Answers when the test says so. */
    private static final class SlowBroker {
        private final Map<String, CompletableFuture<Receipt>> open = new LinkedHashMap<>();
        private final Broker started = new Broker();

        synchronized CompletionStage<Receipt> take(String message) {
            CompletableFuture<Receipt> answer = new CompletableFuture<>();
            started.take(message);
            open.put(message, answer);
            return answer;
        }

        synchronized Set<String> inFlight() {
            return Set.copyOf(open.keySet());
        }

        List<String> started() {
            return started.received();
        }

        void answer(String message) {
            remove(message).complete(Receipt.taken());
        }

        void fail(String message) {
            remove(message).completeExceptionally(new IOException("no " + message));
        }

        private synchronized CompletableFuture<Receipt> remove(String message) {
            CompletableFuture<Receipt> answer = open.remove(message);
            if (answer == null) {
                throw new AssertionError(message + " is not in flight, but " + open.keySet());
            }
            return answer;
        }
    }

    private CompletableFuture<RoundResult> round(Topic<String> topic) {
        Relay relay = Fixture.relay(fixture.store).topic(topic).build();
        return CompletableFuture.supplyAsync(() -> relay.processMessages(100));
    }

    @Test
    void onePerPartitionIsInFlightByDefault() {
        Topic<String> topic = topic("t")
                .partitions(64)
                .asyncPublisher(d -> broker.take(d.message()))
                .build();
        fixture.commit(topic, "a:1", "a:2", "b:1", "b:2", "c:1");
        CompletableFuture<RoundResult> round = round(topic);
        await("the first of each", () -> broker.inFlight().equals(Set.of("a:1", "b:1", "c:1")));
        broker.answer("b:1");
        await("the next of b", () -> broker.inFlight().equals(Set.of("a:1", "b:2", "c:1")));
        broker.answer("b:2");
        broker.answer("c:1");
        broker.answer("a:1");
        await("the next of a", () -> broker.inFlight().equals(Set.of("a:2")));
        broker.answer("a:2");
        assertEquals(new RoundResult(5, 0, null), round.join());
        assertEquals(List.of(), fixture.operations().backlog());
    }

    @Test
    void afterAFailureNothingBehindItIsStartedAndWhatWasStartedIsAwaited() {
        Topic<String> topic = topic("t")
                .inFlight(3)
                .retry(LATER)
                .asyncPublisher(d -> broker.take(d.message()))
                .build();
        fixture.commit(topic, "k:1", "k:2", "k:3", "k:4", "k:5");
        CompletableFuture<RoundResult> round = round(topic);
        await("three started", () -> broker.started().equals(List.of("k:1", "k:2", "k:3")));
        broker.answer("k:1");
        await("the fourth", () -> broker.started().equals(List.of("k:1", "k:2", "k:3", "k:4")));
        broker.fail("k:2");
        broker.answer("k:4");
        broker.fail("k:3");
        assertEquals(new RoundResult(2, 2, null), round.join());
        assertEquals(List.of("k:1", "k:2", "k:3", "k:4"), broker.started());
        assertEquals(3, fixture.operations().backlog().get(0).pending());
        assertEquals(
                "java.io.IOException: no k:2",
                fixture.operations().failingPartitions().get(0).reason());
    }

    @Test
    void noAnswerInTimeIsAFailureWhateverComesLater() {
        Topic<String> topic = topic("t")
                .partitions(64)
                .retry(LATER)
                .publishTimeout(Duration.ofMillis(20))
                .asyncPublisher(d -> broker.take(d.message()))
                .build();
        fixture.commit(topic, "a:1", "b:1");
        CompletableFuture<RoundResult> round = round(topic);
        assertEquals(new RoundResult(0, 2, null), round.join());
        broker.answer("a:1");
        assertTrue(fixture.operations().failingPartitions().get(0).reason().contains("No answer from the publisher"));
        assertEquals(2, fixture.operations().backlog().size());
    }

    @Test
    @SuppressWarnings("NullAway") // what Java callers may do all the same
    void aPublisherThatThrowsOrReturnsNothingFailsItsMessage() {
        Topic<String> topic = topic("t")
                .partitions(64)
                .retry(AT_ONCE.withMaxAttempts(1))
                .asyncPublisher(d -> {
                    if (d.message().equals("a:1")) {
                        throw new StackOverflowError("pretended");
                    }
                    return d.message().equals("b:1") ? null : CompletableFuture.completedStage(Receipt.of("p"));
                })
                .build();
        fixture.commit(topic, "a:1", "b:1", "c:1");
        assertEquals(new RoundResult(1, 2, null), round(topic).join());
        assertEquals(
                List.of("dev.outbox.MisuseException", "java.lang.StackOverflowError: pretended"),
                fixture.operations().deadLetters("t", null, 10).stream()
                        .map(d -> d.reason().replaceAll("MisuseException.*", "MisuseException"))
                        .sorted()
                        .toList());
    }

    @Test
    void synchronousAndAsynchronousTopicsShareABatch() {
        Topic<String> async =
                topic("async").asyncPublisher(d -> broker.take(d.message())).build();
        Broker direct = new Broker();
        Topic<String> sync = topic("sync")
                .publisher(d -> {
                    // Both topics are under way at once: the asynchronous one was started first and answers meanwhile.
                    await(
                            "async in flight",
                            () -> broker.inFlight().size() == 1
                                    || broker.started().size() == 2);
                    broker.inFlight().forEach(broker::answer);
                    return direct.take(d.message());
                })
                .build();
        fixture.commit(async, "k:1", "k:2");
        fixture.commit(sync, "k:3", "k:4");
        Relay relay = Fixture.relay(fixture.store).topic(async).topic(sync).build();
        assertEquals(new RoundResult(4, 0, null), relay.processMessages(100));
        assertEquals(List.of("k:3", "k:4"), direct.received());
    }

    /** With several in flight, a failure that is there at once must stop the next one from being started. */
    @Test
    void aFailureAtTheStartStopsItsPartitionAtOnce() {
        Broker started = new Broker();
        Topic<String> topic = topic("t")
                .inFlight(3)
                .partitions(64)
                .retry(LATER)
                .asyncPublisher(d -> {
                    started.take(d.message());
                    if (d.message().equals("a:1")) {
                        throw new IOException("buffer full");
                    }
                    return CompletableFuture.failedFuture(new IOException("no metadata"));
                })
                .build();
        fixture.commit(topic, "a:1", "a:2", "a:3", "b:1", "b:2");
        assertEquals(new RoundResult(0, 2, null), round(topic).join());
        assertEquals(List.of("a:1", "b:1"), started.received().stream().sorted().toList());
    }

    /** One thread calls all publishers, so the silent one was called when the second turn of the slow one begins. */
    @Test
    void timeoutsAreKeptWhileSynchronousTopicsTakeTheirTime() {
        AtomicLong asked = new AtomicLong();
        Topic<String> silent = topic("silent")
                .retry(LATER)
                .publishTimeout(Duration.ofMillis(1))
                .asyncPublisher(d -> {
                    asked.set(System.nanoTime());
                    return broker.take(d.message());
                })
                .build();
        CompletableFuture<String> timedOut = new CompletableFuture<>();
        Topic<String> slow = topic("slow")
                .publisher(d -> {
                    if (d.message().equals("k:3")) {
                        return Receipt.of(
                                timedOut.get(2, TimeUnit.MINUTES)); // the turn of k:2 has taken in the timeout
                    }
                    await("the deadline", () -> System.nanoTime() - asked.get() > TimeUnit.MILLISECONDS.toNanos(5));
                    return Receipt.taken();
                })
                .build();
        fixture.commit(silent, "k:0");
        fixture.commit(slow, "k:1", "k:2", "k:3");
        OutboxListener listener = new OutboxListener() {
            @Override
            public void failed(Failed event) {
                timedOut.complete(event.reason());
            }
        };
        Relay relay = Fixture.relay(fixture.store)
                .topic(silent)
                .topic(slow)
                .publishers(1)
                .listener(listener)
                .build();
        assertEquals(new RoundResult(3, 1, null), relay.processMessages(100));
    }

    /** Its publish timeout begins then, too. */
    @Test
    void theTimeOfAMessageBeginsWhenTheStoreHasSaidThatItIsHeld() {
        for (boolean async : new boolean[] {false, true}) {
            AtomicLong said = new AtomicLong();
            WrappedStore slow = new WrappedStore(fixture.store) {
                @Override
                public MessageBatch checkout(Set<String> topics, int limit) {
                    return new Batch(super.checkout(topics, limit)) {
                        @Override
                        public boolean isHeld() {
                            LockSupport.parkNanos(200_000_000);
                            said.set(System.nanoTime());
                            return super.isHeld();
                        }
                    };
                }
            };
            List<Duration> took = new ArrayList<>();
            List<Duration> most = new ArrayList<>();
            OutboxListener listener = new OutboxListener() {
                @Override
                public void published(Published event) {
                    most.add(Duration.ofNanos(System.nanoTime() - said.get()));
                    took.add(event.duration());
                }
            };
            Topic.Builder<String> builder = topic("t" + async);
            Topic<String> topic = (async
                            ? builder.asyncPublisher(d -> CompletableFuture.completedStage(Receipt.taken()))
                            : builder.publisher(d -> Receipt.taken()))
                    .build();
            fixture.commit(topic, "k:1");
            try (Relay relay =
                    Fixture.relay(slow).topic(topic).listener(listener).build()) {
                assertEquals(1, relay.processMessages(10).published());
            }
            assertTrue(took.get(0).compareTo(most.get(0)) <= 0, () -> took + " of " + most);
        }
    }
}
