package dev.outbox.relay;

import static dev.outbox.relay.Fixture.AT_ONCE;
import static dev.outbox.relay.Fixture.await;
import static dev.outbox.relay.Fixture.topic;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.Codec;
import dev.outbox.Codecs;
import dev.outbox.FailureKind;
import dev.outbox.Operations;
import dev.outbox.OutboxListener;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.RetryPolicy;
import dev.outbox.Topic;
import java.io.IOException;
import java.net.ConnectException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What a failure means: that the message never succeeds, that the broker is away, or what the policy says. */
class RelayFailuresTest {
    private final Exception tooLarge = new PermanentFailureException("too large");
    private final Exception away = new BrokerUnavailableException("the broker is away");
    private static final RetryPolicy FOREIGN = RetryPolicy.defaults()
            .withClassifier(failure -> failure instanceof ConnectException
                    ? FailureKind.UNAVAILABLE
                    : failure instanceof IllegalArgumentException ? FailureKind.PERMANENT : null);

    private final Fixture fixture = new Fixture();
    private final List<String> tried = new CopyOnWriteArrayList<>();
    private final List<OutboxListener.LeftOut> leftOut = new CopyOnWriteArrayList<>();
    private final AtomicInteger failed = new AtomicInteger();
    private final AtomicInteger batches = new AtomicInteger();
    private final OutboxListener listener = new OutboxListener() {
        @Override
        public void checkedOut(CheckedOut event) {
            batches.addAndGet(event.messages() > 0 ? 1 : 0);
        }

        @Override
        public void leftOut(LeftOut event) {
            leftOut.add(event);
        }

        @Override
        public void failed(Failed event) {
            failed.incrementAndGet();
        }
    };

    private Relay relay(Topic<String> topic) {
        return Fixture.relay(fixture.store).topic(topic).listener(listener).build();
    }

    /** A topic that fails with this for messages that end with a {@code !}; once per way of failing. */
    private List<Topic<String>> failing(Exception failure, RetryPolicy retry) {
        return List.of(
                topic("sync")
                        .retry(retry)
                        .publisher(d -> take(d.message(), failure))
                        .build(),
                topic("wrapped")
                        .retry(retry)
                        .publisher(d -> take(d.message(), new ExecutionException(new CompletionException(failure))))
                        .build(),
                topic("thrown")
                        .retry(retry)
                        .asyncPublisher(d -> CompletableFuture.completedFuture(take(d.message(), failure)))
                        .build(),
                topic("async")
                        .retry(retry)
                        .asyncPublisher(d -> CompletableFuture.supplyAsync(() -> {
                            try {
                                return take(d.message(), failure);
                            } catch (Exception e) {
                                throw new CompletionException(e);
                            }
                        }))
                        .build(),
                Topic.builder("codec", codec(failure))
                        .retry(retry)
                        .publisher(d -> Receipt.of(d.id()))
                        .build());
    }

    private Receipt take(String message, Exception failure) throws Exception {
        tried.add(message);
        if (message.endsWith("!")) {
            throw failure;
        }
        return Receipt.of(message);
    }

    private Codec<String> codec(Exception failure) {
        return new Codec<>() {
            @Override
            public byte[] encode(String message) throws Exception {
                return Codecs.text().encode(message);
            }

            @Override
            public String decode(byte[] payload) throws Exception {
                String message = Codecs.text().decode(payload);
                take(message, failure);
                return message;
            }
        };
    }

    @Test
    void aPermanentFailureIsADeadLetterAtOnce() {
        List<Topic<String>> topics = new ArrayList<>(failing(tooLarge, RetryPolicy.defaults()));
        topics.addAll(failing(new IllegalArgumentException("too large"), FOREIGN));
        for (Topic<String> topic : topics) {
            List<String> ids = fixture.commit(topic, "k:1", "k:2!", "k:3");
            try (Relay relay = relay(topic)) {
                assertEquals(new RoundResult(1, 1, null), relay.processMessages(10), topic::toString);
                assertEquals(new RoundResult(1, 0, null), relay.processMessages(10), topic::toString);
            }
            String reason =
                    fixture.operations().deadLetter(ids.get(1)).orElseThrow().reason();
            assertTrue(reason.contains("too large"), reason);
        }
        assertEquals(List.of(), fixture.operations().backlog());
        assertEquals(List.of(), leftOut);
    }

    @Test
    void aBrokerThatIsAwayCountsNoAttemptAndWhatWasPublishedBeforeIsSettled() {
        List<Topic<String>> topics = new ArrayList<>(failing(away, RetryPolicy.defaults()));
        topics.addAll(failing(new ConnectException("refused"), FOREIGN));
        for (Topic<String> topic : topics) {
            tried.clear();
            leftOut.clear();
            List<String> ids = fixture.commit(topic, "k:1", "k:2!", "k:3");
            try (Relay relay = relay(topic)) {
                assertEquals(new RoundResult(1, 0, null), relay.processMessages(10), topic::toString);
                // It is left out, so nothing is tried.
                assertEquals(new RoundResult(0, 0, null), relay.processMessages(10), topic::toString);
                assertEquals(List.of("k:1", "k:2!"), tried, topic::toString);
                assertEquals(1, leftOut.size(), topic::toString);
                assertEquals(topic.name(), relay.state().leftOut().get(0).topic());
                assertTrue(relay.state().leftOut().get(0).reason().matches(".*(away|refused).*"));
            }
            assertEquals(2, fixture.operations().backlog().get(0).pending(), "the rest waits, and keeps its place");
            assertEquals(List.of(), fixture.operations().failingPartitions());
            fixture.commit(topic, "k:4");
            tried.clear();
            Topic<String> sound = topic(topic.name())
                    .publisher(d -> {
                        tried.add(d.message() + " " + d.attempt());
                        return Receipt.taken();
                    })
                    .build();
            try (Relay relay = relay(sound)) {
                assertEquals(3, relay.processMessages(10).published());
            }
            assertEquals(List.of("k:2! 1", "k:3 1", "k:4 1"), tried);
            assertTrue(fixture.operations().deadLetter(ids.get(1)).isEmpty());
        }
        assertEquals(0, failed.get());
    }

    /** Sixteen partitions, one worker and many helpers: the pause is the topic's, and so is what is said of it. */
    @Test
    void theWholeTopicPausesAndIsTriedWithOneMessageUntilTheBrokerIsBack() {
        AtomicBoolean isAway = new AtomicBoolean(true);
        AtomicInteger tries = new AtomicInteger();
        AtomicInteger other = new AtomicInteger();
        Topic<String> topic = topic("t")
                .partitions(16)
                .retry(AT_ONCE.withMaxAttempts(1)) // a counted attempt would make a dead letter
                .publisher(d -> {
                    tries.incrementAndGet();
                    if (isAway.get()) {
                        throw away;
                    }
                    return Receipt.taken();
                })
                .build();
        Topic<String> sound = topic("sound")
                .publisher(d -> Receipt.of("" + other.incrementAndGet()))
                .build();
        for (int i = 0; i < 200; i++) {
            fixture.commit(topic, i + ":x");
        }
        try (Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .topic(sound)
                .listener(listener)
                .speed(200)
                .build()) {
            relay.start();
            await("left out", () -> !relay.state().leftOut().isEmpty());
            int before = tries.get();
            int most = 16 + batches.get(); // what was under way with the first, and one try in each later batch
            assertTrue(before <= most, "tries before it was known, of " + most + " at most: " + before);
            await("probed", () -> tries.get() >= before + 4);
            assertTrue(tries.get() < before + 30, "tries: " + tries);
            fixture.commit(sound, "s:1");
            await("others go on", () -> other.get() == 1);
            isAway.set(false);
            await("all published", () -> fixture.operations().backlog().isEmpty());
            await("nothing is left out", () -> relay.state().leftOut().isEmpty());
        }
        assertEquals(1, leftOut.size());
        assertEquals(0, failed.get());
        assertEquals(List.of(), fixture.operations().deadLetters("t", null, 10));
    }

    /** What was started before the broker went away says nothing about now. */
    @Test
    void anAnswerToAnEarlierMessageDoesNotBringATopicBack() {
        CompletableFuture<Receipt> slow = new CompletableFuture<>();
        CompletableFuture<Receipt> refused = new CompletableFuture<>();
        Topic<String> topic = topic("t")
                .partitions(2)
                .asyncPublisher(d -> {
                    tried.add(d.message());
                    if (tried.size() == 2) { // both are in flight
                        refused.completeExceptionally(away);
                    }
                    return d.message().endsWith("!") ? refused : slow;
                })
                .build();
        int other = 0;
        while (Fixture.partitionOf(topic, other + ":x") == Fixture.partitionOf(topic, "k:1")) {
            other++;
        }
        fixture.commit(topic, "k:1", other + ":2!");
        try (Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .listener(new OutboxListener() {
                    @Override
                    public void leftOut(LeftOut event) {
                        slow.complete(Receipt.of("late"));
                    }
                })
                .publishers(1)
                .build()) {
            assertEquals(new RoundResult(1, 0, null), relay.processMessages(10));
            assertEquals(1, relay.state().leftOut().size());
        }
        assertEquals(2, tried.size());
    }

    @Test
    void aClassifierThatFailsLeavesItToThePolicy() {
        IOException failure = new IOException("of the publisher");
        Topic<String> topic = topic("t")
                .retry(Fixture.LATER.withClassifier(f -> {
                    throw new IllegalStateException("of the classifier");
                }))
                .publisher(d -> {
                    throw failure;
                })
                .build();
        fixture.commit(topic, "k:1");
        try (Relay relay = relay(topic)) {
            assertEquals(new RoundResult(0, 1, null), relay.processMessages(10));
        }
        assertEquals(1, fixture.operations().failingPartitions().get(0).attempts());
        assertEquals("of the classifier", failure.getSuppressed()[0].getMessage());
        assertEquals(
                1,
                fixture.operations().backlog().stream()
                        .mapToLong(Operations.Backlog::pending)
                        .sum());
    }

    /** Null is what remains where nobody waited for an answer; it must not pass for one. */
    @Test
    @SuppressWarnings("NullAway") // what code without such a check may do
    void nullIsNoReceipt() {
        List<Topic<String>> topics = List.of(
                topic("sync").retry(Fixture.LATER).publisher(d -> null).build(),
                topic("stage").retry(Fixture.LATER).asyncPublisher(d -> null).build(),
                topic("answer")
                        .retry(Fixture.LATER)
                        .asyncPublisher(d -> CompletableFuture.completedStage(null))
                        .build());
        for (Topic<String> topic : topics) {
            fixture.commit(topic, "k:1", "k:2");
            try (Relay relay = relay(topic)) {
                assertEquals(new RoundResult(0, 1, null), relay.processMessages(10), topic::toString);
            }
        }
        assertEquals(3, fixture.operations().failingPartitions().size());
        fixture.operations()
                .failingPartitions()
                .forEach(f -> assertTrue(
                        f.reason().contains("Return Receipt.of(id) or Receipt.taken() once it has it"), f.reason()));
    }
}
