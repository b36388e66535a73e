package dev.outbox.relay;

import static dev.outbox.relay.Fixture.AT_ONCE;
import static dev.outbox.relay.Fixture.await;
import static dev.outbox.relay.Fixture.topic;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.relay.Fixture.Broker;
import dev.outbox.spi.BatchOutcomes;
import java.io.File;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Whatever is thrown at a relay, its workers go on, and its state says how it is doing. */
class RelaySurvivalTest {
    private final Fixture fixture = new Fixture();
    private final Broker broker = new Broker();
    private final Topic<String> topic =
            topic("t").retry(AT_ONCE).publisher(d -> broker.take(d.message())).build();

    @Test
    void aCauseThatCannotBeAskedFor() {
        survives(() -> new RuntimeException("of the test") {
            private static final long serialVersionUID = 1L;

            @Override
            public synchronized Throwable getCause() {
                throw new OutOfMemoryError("of the test");
            }
        });
    }

    @Test
    void aChainOfCausesWithoutAnEnd() {
        survives(() -> {
            RuntimeException first = new RuntimeException("first");
            first.initCause(new RuntimeException("second", first));
            return first;
        });
    }

    @Test
    void anErrorThatFailsEveryoneWhoLooksAtIt() {
        survives(Unspeakable::new);
    }

    private void survives(Supplier<? extends Throwable> failure) {
        AtomicInteger failures = new AtomicInteger(6);
        WrappedStore flaky = new WrappedStore(fixture.store) {
            private void mayFail() {
                if (failures.getAndDecrement() > 0) {
                    Throwable thrown = failure.get();
                    if (thrown instanceof Error error) {
                        throw error;
                    }
                    throw (RuntimeException) thrown;
                }
            }

            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                mayFail();
                return new Batch(super.checkout(topics, limit)) {
                    @Override
                    public List<PersistedMessage> messages() {
                        mayFail();
                        return super.messages();
                    }

                    @Override
                    public boolean isHeld() {
                        mayFail();
                        return super.isHeld();
                    }

                    @Override
                    public void close() {
                        super.close();
                        mayFail();
                    }
                };
            }
        };
        fixture.commit(topic, "k:1", "k:2");
        try (Relay relay = Fixture.relay(flaky).topic(topic).workers(2).build()) {
            relay.start();
            await("published", () -> broker.received().size() >= 2);
            await("settled", () -> fixture.operations().backlog().isEmpty());
            assertEquals(2, relay.state().workersAlive());
            assertNotNull(relay.state().lastTrouble());
        }
    }

    /** Not even a logger gets over it. */
    private static final class Unspeakable extends Error {
        private static final long serialVersionUID = 1L;

        @Override
        public String getMessage() {
            throw new OutOfMemoryError("of the test");
        }

        @Override
        public synchronized Throwable getCause() {
            throw new OutOfMemoryError("of the test");
        }

        @Override
        public void printStackTrace(PrintStream s) {
            throw new OutOfMemoryError("of the test");
        }

        @Override
        public void printStackTrace(PrintWriter s) {
            throw new OutOfMemoryError("of the test");
        }

        @Override
        public StackTraceElement[] getStackTrace() {
            throw new OutOfMemoryError("of the test");
        }
    }

    @Test
    void aHeapThatOthersFillAgainAndAgain() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx48m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        FullHeap.class.getName())
                .redirectErrorStream(true)
                .redirectOutput(File.createTempFile("full-heap", ".log"))
                .start();
        try {
            assertTrue(process.waitFor(300, TimeUnit.SECONDS), "the relay has not published everything");
            assertEquals(0, process.exitValue());
        } finally {
            process.destroyForcibly();
        }
    }

    /** Ends with 0 when all workers are alive and go on publishing after ten times without memory. */
    static final class FullHeap {
        private FullHeap() {}

        @SuppressWarnings("SystemExitOutsideMain") // it is the main class of a process of its own
        public static void main(String[] args) {
            AtomicInteger received = new AtomicInteger();
            Topic<String> topic = topic("t")
                    .retry(AT_ONCE.withUnlimitedAttempts())
                    .publisher(d -> Receipt.of(Integer.toString(received.incrementAndGet())))
                    .build();
            Relay relay =
                    Fixture.relay(new EndlessStore()).topic(topic).workers(4).build();
            relay.start();
            await("it is under way", () -> received.get() > 10_000);
            for (int i = 0; i < 10; i++) {
                try {
                    fillAndHold();
                } catch (OutOfMemoryError e) {
                    // That is what it is for, and by now the heap is free again.
                }
                int before = received.get();
                await("more is published: " + relay.state(), () -> received.get() > before + 1_000);
                await("all workers", () -> relay.state().workersAlive() == 4);
            }
            System.exit(0);
        }

        private static void fillAndHold() {
            Object[] full = new Object[10_000];
            int filled = 0;
            try {
                long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(400);
                for (int size = 1 << 20; System.nanoTime() - until < 0; ) {
                    try {
                        full[filled++ % full.length] = new byte[size];
                    } catch (OutOfMemoryError e) {
                        size = Math.max(16, size / 2);
                        if (size == 16) {
                            LockSupport.parkNanos(1_000_000);
                        }
                    }
                }
            } finally {
                Reference.reachabilityFence(full);
            }
        }
    }

    /** Always has the same messages, and nothing that a lack of memory could leave half done. */
    private static final class EndlessStore implements Store {
        private final List<PersistedMessage> messages = IntStream.range(0, 50)
                .mapToObj(i -> new PersistedMessage(
                        "id" + i, "t", i % 8, null, Map.of(), ("k:" + i).getBytes(UTF_8), 0, Instant.EPOCH))
                .toList();

        @Override
        public MessageBatch checkout(Set<String> topics, int limit) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            return new MessageBatch() {
                private final BatchOutcomes outcomes =
                        new BatchOutcomes(messages.subList(0, Math.min(limit, messages.size())));

                @Override
                public List<PersistedMessage> messages() {
                    return outcomes.messages();
                }

                @Override
                public boolean isHeld() {
                    return outcomes.isOpen();
                }

                @Override
                public void markPublished(PersistedMessage message, @Nullable String publishId) {
                    outcomes.published(message, publishId);
                }

                @Override
                public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
                    outcomes.failed(message, reason, retryAfter);
                }

                @Override
                public void deadLetter(PersistedMessage message, String reason) {
                    outcomes.deadLettered(message, reason);
                }

                @Override
                public void close() {
                    if (outcomes.close()) {
                        outcomes.applicable();
                    }
                }
            };
        }

        @Override
        public Capabilities capabilities() {
            return Capabilities.all()
                    .without(Capability.WAKE_UP, "there is nothing to wait for")
                    .without(Capability.OPERATIONS, "there is nothing to see")
                    .without(Capability.BROWSING, "there is nothing to see")
                    .without(Capability.FINDING, "there is nothing to see")
                    .without(Capability.HOLDERS, "there is nothing to see");
        }

        @Override
        public void close() {}
    }

    @Test
    void aSystemThatIsShortOfThreads() {
        AtomicInteger asked = new AtomicInteger();
        ThreadFactory scarce = run -> {
            int n = asked.incrementAndGet();
            if (n == 1 || n == 3 || n == 4) {
                throw new OutOfMemoryError("unable to create native thread, of the test");
            }
            return new Thread(run);
        };
        try (Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .workers(3)
                .threads(scarce)
                .build()) {
            assertThrows(OutOfMemoryError.class, relay::start);
            assertFalse(relay.state().running());
            relay.start();
            assertTrue(relay.state().running());
            await("all workers", () -> relay.state().workersAlive() == 3);
            assertThrows(MisuseException.class, relay::start);
            fixture.commit(topic, "k:1");
            await("published", () -> broker.received().size() == 1);
        }
    }

    @Test
    void itsStateSaysHowItIsDoing() {
        AtomicInteger failures = new AtomicInteger();
        WrappedStore flaky = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                if (failures.getAndDecrement() > 0) {
                    throw new IllegalStateException("no server\nat all");
                }
                return super.checkout(topics, limit);
            }
        };
        Relay relay = Fixture.relay(flaky)
                .topic(topic)
                .workers(2)
                .maxPollInterval(Duration.ofMillis(300))
                .maxBatchTime(Duration.ofSeconds(7))
                .build();
        assertEquals(
                new RelayState(
                        false,
                        null,
                        2,
                        0,
                        null,
                        null,
                        null,
                        0,
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        Duration.ofMillis(300),
                        Duration.ofMillis(67_300).plus(topic.publishTimeout())),
                relay.state());
        Instant before = Instant.now().minusMillis(1);
        relay.start();
        await("a round", () -> relay.state().lastGoodRound() != null);
        assertFalse(requireNonNull(relay.state().lastGoodRound()).isBefore(before));
        assertFalse(requireNonNull(relay.state().servingSince()).isBefore(before));
        assertTrue(relay.state().running());
        assertFalse(relay.isClosed());
        assertEquals(2, relay.state().workersAlive());
        assertNull(relay.state().lastTrouble());
        failures.set(1);
        await("trouble", () -> relay.state().lastTrouble() != null);
        RelayState.@Nullable Trouble trouble = requireNonNull(relay.state().lastTrouble());
        assertTrue(trouble.text().contains("no server"), trouble.text());
        assertFalse(trouble.at().isBefore(before));
        relay.close();
        assertFalse(relay.state().running());
        assertTrue(relay.isClosed());
        await("workers gone", () -> relay.state().workersAlive() == 0);
    }

    @Test
    void itServesFromItsFirstTopicOn() {
        try (Relay relay = Relay.builder(fixture.store).build()) {
            relay.start();
            assertNull(relay.state().servingSince());
            Instant before = Instant.now().minusMillis(1);
            relay.register(topic);
            Instant since = requireNonNull(relay.state().servingSince());
            assertFalse(since.isBefore(before));
            relay.register(Topic.builder("further", String.class)
                    .publisher(delivery -> Receipt.taken())
                    .publishTimeout(topic.publishTimeout().plusSeconds(10))
                    .build());
            assertEquals(since, relay.state().servingSince());
            assertEquals(
                    Duration.ofSeconds(76).plus(topic.publishTimeout()), // with the defaults, and 10 s more
                    relay.state().longestQuiet());
        }
    }
}
