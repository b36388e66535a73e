package dev.outbox.relay;

import static dev.outbox.relay.Fixture.AT_ONCE;
import static dev.outbox.relay.Fixture.LATER;
import static dev.outbox.relay.Fixture.await;
import static dev.outbox.relay.Fixture.topic;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codec;
import dev.outbox.Codecs;
import dev.outbox.ConfigurationException;
import dev.outbox.Delivery;
import dev.outbox.MisuseException;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.OutboxListener;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import dev.outbox.relay.Fixture.Broker;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RelayTest {
    private final Fixture fixture = new Fixture();
    private final Broker broker = new Broker();

    @Test
    void publishesInOrderWithEverythingThatIsKnownAboutAMessage() {
        List<Delivery<String>> deliveries = new ArrayList<>();
        Topic<String> topic = topic("t")
                .headers(m -> Map.of("length", Integer.toString(m.length())))
                .publisher(d -> {
                    deliveries.add(d);
                    return Receipt.taken();
                })
                .build();
        List<String> ids = fixture.commit(topic, "k:1", "k:2", "l:3");

        try (Relay relay = Fixture.relay(fixture.store).topic(topic).build()) {
            assertEquals(new RoundResult(3, 0, null), relay.processMessages(10));
            assertEquals(new RoundResult(0, 0, null), relay.processMessages(10));
        }
        assertEquals(
                List.of("k:1", "k:2", "l:3"),
                deliveries.stream().map(Delivery::message).toList());
        assertEquals(ids, deliveries.stream().map(Delivery::id).toList());
        Delivery<String> first = deliveries.get(0);
        assertEquals("k", first.key());
        assertEquals("t", first.topic());
        assertEquals(Map.of("length", "3"), first.headers());
        assertEquals(1, first.attempt());
        assertEquals(3, first.payload().length);
        assertTrue(first.createdAt().isBefore(Instant.now().plusSeconds(1)));
        assertEquals(List.of(), fixture.operations().backlog());
    }

    @Test
    void neverTakesMoreThanTheLimit() {
        Topic<String> topic =
                topic("t").publisher(d -> broker.take(d.message())).build();
        fixture.commit(topic, "k:1", "k:2", "k:3");
        try (Relay relay = Fixture.relay(fixture.store).topic(topic).build()) {
            assertEquals(2, relay.processMessages(2).published());
            assertEquals(1, relay.processMessages(2).published());
        }
    }

    @Test
    void threadsComeFromTheFactoryAndHaveTheNameOfTheirRelay() {
        Set<String> names = ConcurrentHashMap.newKeySet();
        Set<Boolean> daemons = ConcurrentHashMap.newKeySet();
        CyclicBarrier both = new CyclicBarrier(2);
        Topic<String> topic = topic("t")
                .partitions(8)
                .publisher(d -> {
                    both.await(2, TimeUnit.MINUTES); // so one is on another thread than the worker
                    names.add(Thread.currentThread().getName());
                    daemons.add(Thread.currentThread().isDaemon());
                    return broker.take(d.message());
                })
                .build();
        Set<String> relays = new HashSet<>();
        for (int each = 0; each < 2; each++) {
            fixture.commit(topic, "a:1", "b:1");
            AtomicInteger made = new AtomicInteger();
            try (Relay relay = Fixture.relay(fixture.store)
                    .topic(topic)
                    .threads(task -> {
                        made.incrementAndGet();
                        Thread thread = new Thread(task);
                        thread.setDaemon(true);
                        return thread;
                    })
                    .build()) {
                relay.start();
                await("settled", () -> fixture.operations().backlog().isEmpty());
            }
            assertTrue(made.get() >= 2, "made: " + made);
            assertTrue(
                    names.stream().allMatch(name -> name.matches("outbox-relay-\\d+-(worker|publisher)-\\d+")),
                    names::toString);
            names.forEach(name -> relays.add(name.replaceAll("(outbox-relay-\\d+)-.*", "$1")));
            names.clear();
        }
        assertEquals(2, relays.size(), relays::toString);
        assertEquals(Set.of(true), daemons);
    }

    @Test
    void afterAFailureNothingBehindItInItsPartitionIsStarted() {
        Topic<String> topic = topic("t")
                .partitions(64)
                .retry(LATER)
                .publisher(d -> {
                    broker.take(d.message());
                    if (d.message().equals("a:bad")) {
                        throw new IOException("broker away");
                    }
                    return Receipt.taken();
                })
                .build();
        List<String> ids = fixture.commit(topic, "a:1", "a:bad", "a:3", "b:1", "b:2");

        try (Relay relay = Fixture.relay(fixture.store).topic(topic).build()) {
            assertEquals(new RoundResult(3, 1, null), relay.processMessages(10));
            assertEquals(new RoundResult(0, 0, null), relay.processMessages(10));
        }
        assertEquals(
                List.of("a:1", "a:bad", "b:1", "b:2"),
                broker.received().stream().sorted().toList());
        FailingPartition failing = fixture.operations().failingPartitions().get(0);
        assertEquals(ids.get(1), failing.messageId());
        assertEquals(1, failing.attempts());
        assertEquals("java.io.IOException: broker away", failing.reason());
        assertTrue(failing.nextAttempt().isAfter(Instant.now().plusSeconds(2_000)));
        assertEquals(2, fixture.operations().backlog().get(0).pending());
    }

    @Test
    void aMessageThatKeepsFailingIsGivenUpAndItsPartitionGoesOn() {
        Topic<String> topic = topic("t")
                .retry(AT_ONCE.withMaxAttempts(3))
                .publisher(d -> {
                    broker.take(d.message() + "/" + d.attempt());
                    if (d.message().equals("k:poison")) {
                        throw new StackOverflowError("deep");
                    }
                    return Receipt.taken();
                })
                .build();
        List<String> ids = fixture.commit(topic, "k:poison", "k:2");

        try (Relay relay = Fixture.relay(fixture.store).topic(topic).build()) {
            for (int round = 1; round <= 3; round++) {
                assertEquals(new RoundResult(0, 1, null), relay.processMessages(10));
            }
            assertEquals(new RoundResult(1, 0, null), relay.processMessages(10));
        }
        assertEquals(List.of("k:poison/1", "k:poison/2", "k:poison/3", "k:2/1"), broker.received());
        var dead = fixture.operations().deadLetter(ids.get(0)).orElseThrow();
        assertEquals(3, dead.message().attempts());
        assertEquals("java.lang.StackOverflowError: deep", dead.reason());
    }

    /** It may be this relay that is too old for it, or cannot reach what its codec needs. */
    @Test
    void whatCannotBeDecodedFollowsTheRetryPolicy() {
        Topic<String> text = topic("numbers").build();
        Topic<Integer> numbers = Topic.builder("numbers", Codecs.json(Integer.class))
                .retry(AT_ONCE.withMaxAttempts(3))
                .publisher(d -> broker.take("n" + d.message()))
                .build();
        Topic<String> other =
                topic("other").publisher(d -> broker.take(d.message())).build();
        List<String> ids = fixture.commit(text, "k:what?");
        fixture.commit(other, "k:1");
        try (Relay relay =
                Fixture.relay(fixture.store).topic(numbers).topic(other).build()) {
            assertEquals(new RoundResult(1, 1, null), relay.processMessages(10));
            assertEquals(1, fixture.operations().failingPartitions().get(0).attempts());
            assertEquals(new RoundResult(0, 1, null), relay.processMessages(10));
            assertEquals(List.of(), fixture.operations().deadLetters("numbers", null, 10));
            assertEquals(new RoundResult(0, 1, null), relay.processMessages(10));
        }
        assertEquals(List.of("k:1"), broker.received());
        assertTrue(fixture.operations()
                .deadLetter(ids.get(0))
                .orElseThrow()
                .reason()
                .startsWith("Undecodable: com.fasterxml.jackson"));
    }

    @Test
    void whatACodecSaysNobodyCanEverReadIsADeadLetterAtOnce() {
        Codec<String> strict = new Codec<>() {
            @Override
            public byte[] encode(String message) throws Exception {
                return Codecs.text().encode(message);
            }

            @Override
            public String decode(byte[] payload) throws Exception {
                throw new PermanentFailureException("the checksum is wrong");
            }
        };
        Topic<String> topic = Topic.builder("t", strict)
                .publisher(d -> broker.take(d.message()))
                .build();
        List<String> ids = fixture.commit(topic, "k:1");
        try (Relay relay = Fixture.relay(fixture.store).topic(topic).build()) {
            assertEquals(new RoundResult(0, 1, null), relay.processMessages(10));
        }
        assertEquals(
                "Undecodable: dev.outbox.PermanentFailureException: the checksum is wrong",
                fixture.operations().deadLetter(ids.get(0)).orElseThrow().reason());
    }

    /** A heap that others have filled is no fault of the message; a message that fills it again and again is. */
    @Test
    void aLackOfMemoryIsTheProcessesFaultAtFirst() {
        AtomicInteger tries = new AtomicInteger();
        Topic<String> topic = topic("t")
                .retry(AT_ONCE.withMaxAttempts(2))
                .publisher(d -> {
                    tries.incrementAndGet();
                    throw new IllegalStateException(new OutOfMemoryError("of the test"));
                })
                .build();
        List<String> ids = fixture.commit(topic, "k:1");
        try (Relay relay = Fixture.relay(fixture.store).topic(topic).build()) {
            for (int i = 0; i < 3; i++) {
                assertEquals(new RoundResult(0, 0, null), relay.processMessages(10));
            }
            assertEquals(List.of(), fixture.operations().failingPartitions());
            relay.start();
            await("given up", () -> fixture.operations().deadLetter(ids.get(0)).isPresent());
        }
        assertEquals(5, tries.get(), "three that were forgiven, and two attempts");
    }

    @Test
    void topicsThatAreNotRegisteredAreLeftAlone() {
        Topic<String> mine =
                topic("mine").publisher(d -> broker.take(d.message())).build();
        Topic<String> theirs = topic("theirs").build();
        fixture.commit(theirs, "k:1");
        fixture.commit(mine, "k:2");
        try (Relay relay = Fixture.relay(fixture.store).build()) {
            assertEquals(new RoundResult(0, 0, null), relay.processMessages(10));
            relay.register(mine);
            assertEquals(new RoundResult(1, 0, null), relay.processMessages(10));
            assertEquals(new RoundResult(0, 0, null), relay.processMessages(10));
        }
        assertEquals(
                List.of("theirs"),
                fixture.operations().backlog().stream().map(Backlog::topic).toList());
    }

    @Test
    void partitionsBeyondItsOwnCountAreServed() {
        Topic<String> wide = topic("t").partitions(64).build();
        Topic<String> narrow = topic("t")
                .partitions(1)
                .publisher(d -> broker.take(d.message()))
                .build();
        fixture.commit(wide, "a:1", "b:1", "c:1", "d:1");
        try (Relay relay = Fixture.relay(fixture.store).topic(narrow).build()) {
            assertEquals(4, relay.processMessages(10).published());
        }
    }

    @Test
    void startedWorkersPublishInParallelWhatIsCommittedLater() throws Exception {
        CyclicBarrier allFour = new CyclicBarrier(4);
        Topic<String> topic = topic("t")
                .partitions(64)
                .publisher(d -> {
                    allFour.await(2, TimeUnit.MINUTES);
                    return broker.take(d.message());
                })
                .build();
        try (Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .workers(4)
                .batchSize(1)
                .build()) {
            relay.start();
            fixture.commit(topic, "a:1", "b:1", "c:1", "d:1"); // four partitions
            await("all published", () -> broker.received().size() == 4);
        }
        assertFalse(allFour.isBroken());
    }

    @Test
    void anErrorInAPublisherCostsAMessageAndNotTheThread() {
        Topic<String> topic = topic("t")
                .retry(AT_ONCE)
                .publisher(d -> {
                    if (d.attempt() == 1) {
                        Thread.currentThread().interrupt(); // litter, which must not reach the store
                        throw new AssertionError("first attempt");
                    }
                    return broker.take(d.message());
                })
                .build();
        try (Relay relay = Fixture.relay(fixture.store).topic(topic).build()) {
            relay.start();
            fixture.commit(topic, "k:1", "k:2", "k:3");
            await("all published", () -> broker.received().size() == 3);
        }
        assertEquals(List.of("k:1", "k:2", "k:3"), broker.received());
    }

    @Test
    void listenersSeeEverythingAndCannotDoHarm() {
        Topic<String> topic = topic("t")
                .retry(LATER.withMaxAttempts(2))
                .partitions(64)
                .publisher(d -> {
                    if (d.message().startsWith("bad")) {
                        throw new IOException("no");
                    }
                    return broker.take(d.message());
                })
                .build();
        Topic<Integer> numbers = Topic.builder("n", Codecs.json(Integer.class))
                .retry(LATER.withMaxAttempts(1))
                .publisher(d -> Receipt.taken())
                .build();
        fixture.commit(topic, "good:1", "bad:1");
        fixture.commit(topic("n").build(), "k:what?");
        List<String> seen = new ArrayList<>();
        OutboxListener recorder = new OutboxListener() {
            @Override
            public void checkedOut(CheckedOut e) {
                see("checkedOut " + e.messages() + "/" + e.limit(), e.duration());
            }

            @Override
            public void published(Published e) {
                see("published " + e.publishId() + " attempt " + e.attempt(), e.duration());
            }

            @Override
            public void failed(Failed e) {
                see("failed " + e.reason() + " attempt " + e.attempt(), e.duration());
            }

            @Override
            public void deadLettered(DeadLettered e) {
                see("deadLettered attempt " + e.attempt(), e.duration());
            }

            @Override
            public void settled(Settled e) {
                see(
                        "settled " + e.published() + " " + e.failed() + " " + e.deadLettered() + " " + e.released(),
                        e.duration());
            }

            private void see(String what, Duration duration) {
                assertFalse(duration.isNegative());
                seen.add(what);
                throw new IllegalStateException("a listener that fails");
            }
        };
        try (Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .topic(numbers)
                .listener(recorder)
                .build()) {
            assertEquals(new RoundResult(1, 2, null), relay.processMessages(10));
        }
        assertEquals("checkedOut 3/10", seen.get(0));
        assertEquals("settled 1 1 1 0", seen.get(seen.size() - 1));
        assertEquals(
                List.of("deadLettered attempt 1", "failed java.io.IOException: no attempt 1", "published b1 attempt 1"),
                seen.subList(1, seen.size() - 1).stream().sorted().toList());
    }

    @Test
    void aListenerThatATopicWasGivenHearsWritingAndRelaying() {
        List<String> ofFirst = new ArrayList<>();
        List<String> ofBoth = new ArrayList<>();
        OutboxListener both = recorder(ofBoth);
        Topic<String> first = topic("first")
                .listener(recorder(ofFirst))
                .listener(both)
                .publisher(d -> broker.take(d.message()))
                .build();
        Topic<String> second = topic("second")
                .listener(both)
                .retry(LATER)
                .publisher(d -> {
                    throw new IOException("no");
                })
                .build();
        fixture.commit(first, "k:1");
        fixture.commit(second, "k:2");
        try (Relay relay =
                Fixture.relay(fixture.store).topic(first).listener(both).build()) {
            relay.register(second);
            assertEquals(new RoundResult(1, 1, null), relay.processMessages(10));
        }
        assertEquals(
                List.of("checkedOut", "persisted first", "published first", "settled"),
                ofFirst.stream().sorted().toList());
        assertEquals(
                List.of(
                        "checkedOut",
                        "failed second",
                        "persisted first",
                        "persisted second",
                        "published first",
                        "settled"),
                ofBoth.stream().sorted().toList());
    }

    private static OutboxListener recorder(List<String> heard) {
        return new OutboxListener() {
            @Override
            public void persisted(Persisted event) {
                heard.add("persisted " + event.message().topic());
            }

            @Override
            public void checkedOut(CheckedOut event) {
                heard.add("checkedOut");
            }

            @Override
            public void published(Published event) {
                heard.add("published " + event.message().topic());
            }

            @Override
            public void failed(Failed event) {
                heard.add("failed " + event.message().topic());
            }

            @Override
            public void settled(Settled event) {
                heard.add("settled");
            }
        };
    }

    @Test
    void misuseIsRefused() {
        Topic<String> topic = topic("t").publisher(d -> Receipt.taken()).build();
        Relay.Builder twice = Fixture.relay(fixture.store)
                .topic(topic)
                .topic(topic("t").publisher(d -> Receipt.taken()).build());
        assertTrue(
                assertThrows(MisuseException.class, twice::build).getMessage().contains("Topic t is registered"));
        Relay.Builder mute = Fixture.relay(fixture.store).topic(topic("u").build());
        assertTrue(assertThrows(ConfigurationException.class, mute::build)
                .getMessage()
                .contains("has no publisher"));
        Relay relay = Fixture.relay(fixture.store).topic(topic).build();
        assertThrows(MisuseException.class, () -> relay.register(topic));
        assertThrows(MisuseException.class, () -> relay.processMessages(0));
        assertThrows(MisuseException.class, () -> relay.pollForMessages(0));
        relay.start();
        assertThrows(MisuseException.class, relay::start);
        relay.close();
        relay.close();
        relay.wakeUp();
        assertThrows(MisuseException.class, () -> relay.processMessages(1));
        Topic<String> another = topic("another").publisher(d -> Receipt.taken()).build();
        assertThrows(MisuseException.class, () -> relay.register(another));
        assertThrows(
                ConfigurationException.class, () -> Fixture.relay(fixture.store).workers(0));
        assertThrows(
                ConfigurationException.class, () -> Fixture.relay(fixture.store).batchSize(0));
    }

    /** Without wake-ups the twenty pauses would add up to hours. */
    @Test
    void aWakeUpCutsThePause() {
        AtomicInteger checkouts = new AtomicInteger();
        Topic<String> topic = topic("t").publisher(d -> Receipt.taken()).build();
        try (Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .maxPollInterval(Duration.ofHours(1))
                .listener(new OutboxListener() {
                    @Override
                    public void checkedOut(CheckedOut event) {
                        checkouts.incrementAndGet();
                    }
                })
                .build()) {
            relay.start();
            for (int i = 0; i < 20; i++) {
                int before = checkouts.get();
                relay.wakeUp();
                await("another checkout", () -> checkouts.get() > before);
            }
        }
    }

    /** The same through the store, as from another process. */
    @Test
    void aWakeUpOfTheStoreCutsThePause() {
        Topic<String> topic =
                topic("t").publisher(d -> broker.take(d.message())).build();
        try (Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .maxPollInterval(Duration.ofHours(1))
                .build()) {
            relay.start();
            for (int i = 1; i <= 20; i++) {
                int count = i;
                fixture.commit(topic, "k:" + i);
                await("message " + i, () -> broker.received().size() == count);
            }
        }
    }

    @Test
    void reasonsAreReadableWhateverWasThrown() {
        Topic<String> topic = topic("t")
                .retry(LATER)
                .partitions(64)
                .publisher(d -> {
                    throw switch (d.message()) {
                        case "a:1" -> new IllegalStateException("outer", new IOException("inner\0\uD800"));
                        case "b:1" -> new HostileException();
                        default -> new RuntimeException("x".repeat(100_000));
                    };
                })
                .build();
        fixture.commit(topic, "a:1", "b:1", "c:1");
        try (Relay relay = Fixture.relay(fixture.store).topic(topic).build()) {
            RoundResult result = relay.processMessages(10);
            assertNull(result.storeError());
            assertEquals(3, result.failed());
        }
        List<String> reasons = fixture.operations().failingPartitions().stream()
                .map(FailingPartition::reason)
                .sorted()
                .toList();
        assertEquals(HostileException.class.getName(), reasons.get(0));
        assertEquals(
                "java.lang.IllegalStateException: outer; caused by java.io.IOException: inner\uFFFD\uFFFD",
                reasons.get(1));
        assertEquals(1000, reasons.get(2).length());
    }

    /** Even asking it what is wrong goes wrong. */
    private static final class HostileException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        @Override
        public String getMessage() {
            throw new IllegalStateException("no comment");
        }

        @Override
        public synchronized Throwable getCause() {
            throw new IllegalStateException("no cause");
        }
    }

    /** It would run unseen, and publish what the relay publishes. */
    @Test
    void aFactoryThatStartsItsThreadsIsRefused() {
        Topic<String> topic =
                topic("orders").publisher(d -> broker.take(d.message())).build();
        fixture.commit(topic, "a:1", "b:1");
        try (Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .threads(task -> {
                    Thread started = new Thread(task);
                    started.start();
                    return started;
                })
                .build()) {
            assertTrue(assertThrows(MisuseException.class, relay::start)
                    .getMessage()
                    .contains("started already"));
            assertEquals(new RoundResult(2, 0, null), relay.processMessages(10));
        }
    }
}
