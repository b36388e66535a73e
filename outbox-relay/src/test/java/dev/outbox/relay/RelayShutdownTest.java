package dev.outbox.relay;

import static dev.outbox.relay.Fixture.await;
import static dev.outbox.relay.Fixture.topic;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codec;
import dev.outbox.Codecs;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxListener;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import dev.outbox.StoreException;
import dev.outbox.Topic;
import dev.outbox.relay.Fixture.Broker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class RelayShutdownTest {
    private final Fixture fixture = new Fixture();
    private final Broker broker = new Broker();
    private final CountDownLatch inPublisher = new CountDownLatch(1);
    private final CountDownLatch mayReturn = new CountDownLatch(1);

    @Test
    void finishesTheMessageInHandAndReleasesTheRest() throws Exception {
        Topic<String> topic = topic("t")
                .publisher(d -> {
                    inPublisher.countDown();
                    mayReturn.await();
                    return broker.take(d.message());
                })
                .build();
        Relay relay = Fixture.relay(fixture.store).topic(topic).build();
        relay.start();
        fixture.commit(topic, "k:1", "k:2");
        inPublisher.await();
        CompletableFuture<Void> closing = CompletableFuture.runAsync(relay::close);
        await("the relay knows", () -> refuses(relay));
        assertFalse(closing.isDone());
        mayReturn.countDown();
        closing.join();
        assertEquals(List.of("k:1"), broker.received());
        assertReleased("k:2");
    }

    @Test
    void interruptsAPublisherThatTakesTooLongAndCountsNoAttempt() throws Exception {
        AtomicBoolean wasInterrupted = new AtomicBoolean();
        Topic<String> topic = topic("t")
                .publisher(d -> {
                    inPublisher.countDown();
                    try {
                        mayReturn.await();
                        return Receipt.taken();
                    } catch (InterruptedException e) {
                        wasInterrupted.set(true);
                        throw e;
                    }
                })
                .build();
        Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .shutdownTimeout(Duration.ofMillis(20))
                .build();
        relay.start();
        fixture.commit(topic, "k:1");
        inPublisher.await();
        relay.close();
        await("interrupted", wasInterrupted::get);
        assertReleased("k:1");
    }

    @Test
    void abandonsAnAsynchronousPublisherThatDoesNotAnswer() {
        Topic<String> topic = topic("t")
                .asyncPublisher(d -> {
                    inPublisher.countDown();
                    return new CompletableFuture<>();
                })
                .build();
        Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .shutdownTimeout(Duration.ofMillis(20))
                .build();
        relay.start();
        fixture.commit(topic, "k:1");
        await("started", () -> inPublisher.getCount() == 0);
        relay.close();
        assertReleased("k:1");
    }

    /** The store must never run on an interrupted thread: an embedded database would close its file. */
    @Test
    void anInterruptEndsPollingAndStaysSetButSparesTheStore() throws Exception {
        Topic<String> topic = topic("t")
                .publisher(d -> {
                    inPublisher.countDown();
                    mayReturn.await();
                    return Receipt.taken();
                })
                .build();
        AtomicBoolean storeSawInterrupt = new AtomicBoolean();
        WrappedStore watching = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                look();
                return new Batch(super.checkout(topics, limit)) {
                    @Override
                    public void close() {
                        look();
                        super.close();
                    }
                };
            }

            private void look() {
                if (Thread.currentThread().isInterrupted()) {
                    storeSawInterrupt.set(true);
                }
            }
        };
        Relay relay = Fixture.relay(watching).topic(topic).build();
        AtomicReference<Boolean> flag = new AtomicReference<>();
        Thread poller = new Thread(() -> {
            relay.pollForMessages(10);
            flag.set(Thread.currentThread().isInterrupted());
        });
        poller.start();
        fixture.commit(topic, "k:1");
        inPublisher.await();
        poller.interrupt();
        poller.join();
        assertEquals(true, flag.get());
        assertFalse(storeSawInterrupt.get());
        assertReleased("k:1");
        relay.close();
    }

    /** A codec may wait for something, too: a registry of schemas, a lock. */
    @Test
    void anInterruptWhileDecodingIsNoFaultOfTheMessage() throws Exception {
        Codec<String> waiting = new Codec<>() {
            @Override
            public byte[] encode(String message) throws Exception {
                return Codecs.text().encode(message);
            }

            @Override
            public String decode(byte[] payload) throws Exception {
                inPublisher.countDown();
                mayReturn.await();
                return Codecs.text().decode(payload);
            }
        };
        Topic<String> topic = Topic.builder("t", waiting)
                .publisher(d -> broker.take(d.message()))
                .build();
        Relay relay = Fixture.relay(fixture.store).topic(topic).build();
        Thread poller = new Thread(() -> relay.pollForMessages(10));
        poller.start();
        fixture.commit(topic, "k:1");
        inPublisher.await();
        poller.interrupt();
        poller.join();
        assertEquals(List.of(), fixture.operations().deadLetters("t", null, 10));
        assertReleased("k:1");
        relay.close();
    }

    @Test
    void whatAListenerLeavesBehindDoesNotReachTheStore() {
        AtomicBoolean storeSawInterrupt = new AtomicBoolean();
        WrappedStore watching = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                if (Thread.currentThread().isInterrupted()) {
                    storeSawInterrupt.set(true);
                }
                return super.checkout(topics, limit);
            }
        };
        Topic<String> topic =
                topic("t").publisher(d -> broker.take(d.message())).build();
        OutboxListener littering = new OutboxListener() {
            @Override
            public void settled(Settled event) {
                Thread.currentThread().interrupt();
            }
        };
        try (Relay relay = Fixture.relay(watching)
                .topic(topic)
                .batchSize(1)
                .listener(littering)
                .build()) {
            relay.start();
            fixture.commit(topic, "k:1", "k:2", "k:3");
            await("all published", () -> broker.received().size() == 3);
        }
        assertFalse(storeSawInterrupt.get());
    }

    /** The relay's own interrupt of a publisher is not one that the application sent to its thread. */
    @Test
    void theCallersThreadComesBackWithoutAnInterruptItWasNotSent() throws Exception {
        Topic<String> topic = topic("t")
                .publisher(d -> {
                    inPublisher.countDown();
                    mayReturn.await();
                    return Receipt.taken();
                })
                .build();
        Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .shutdownTimeout(Duration.ZERO)
                .build();
        fixture.commit(topic, "k:1");
        CompletableFuture<Boolean> flag = CompletableFuture.supplyAsync(() -> {
            relay.processMessages(10);
            return Thread.currentThread().isInterrupted();
        });
        inPublisher.await();
        relay.close();
        assertFalse(flag.join());
        assertReleased("k:1");
    }

    /** A checkout that is under way has started no message, and starts none. */
    @Test
    void aStoreThatDoesNotAnswerIsNotWaitedForIfNoMessageIsInHand() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        Queue<String> published = new ConcurrentLinkedQueue<>();
        Topic<String> topic = topic("t")
                .publisher(d -> {
                    published.add(d.message());
                    return Receipt.taken();
                })
                .build();
        fixture.commit(topic, "k:1");
        Relay relay = Fixture.relay(new WrappedStore(fixture.store) {
                    @Override
                    public MessageBatch checkout(Set<String> topics, int limit) {
                        MessageBatch batch = super.checkout(topics, limit);
                        asked.countDown();
                        uninterruptibly(answer);
                        return new Batch(batch) {
                            @Override
                            public void close() {
                                super.close();
                                released.countDown();
                            }
                        };
                    }
                })
                .topic(topic)
                .shutdownTimeout(Duration.ofHours(1))
                .build();
        relay.start();
        asked.await();
        relay.close();
        assertEquals(1, answer.getCount(), "the store has not answered");
        answer.countDown();
        released.await();
        assertEquals(List.of(), List.copyOf(published));
        try (MessageBatch batch = fixture.store.checkout(Set.of("t"), 1)) {
            assertEquals(1, batch.messages().size(), "messages that were released");
        }
    }

    private static void uninterruptibly(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                latch.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void wakeUpsThatCannotBeEndedDoNotKeepCloseFromWaiting() throws Exception {
        WakingStore store = new WakingStore(fixture.store) {
            @Override
            public Subscription onWakeUp(Runnable listener) {
                return () -> {
                    throw new StoreException("connection gone");
                };
            }
        };
        Topic<String> topic = topic("t")
                .publisher(d -> {
                    inPublisher.countDown();
                    mayReturn.await();
                    return broker.take(d.message());
                })
                .build();
        Relay relay = Fixture.relay(store).topic(topic).build();
        relay.start();
        fixture.commit(topic, "k:1");
        inPublisher.await();
        CompletableFuture<Void> closing = CompletableFuture.runAsync(relay::close);
        await("the relay knows", () -> refuses(relay));
        assertFalse(closing.isDone());
        mayReturn.countDown();
        closing.join();
        assertEquals(List.of("k:1"), broker.received());
    }

    @Test
    void wakeUpsThatFailAreAskedForAgain() {
        AtomicInteger asked = new AtomicInteger();
        WakingStore store = new WakingStore(fixture.store) {
            @Override
            public Subscription onWakeUp(Runnable listener) {
                if (asked.incrementAndGet() < 3) {
                    throw new NoClassDefFoundError("pretended");
                }
                return () -> {};
            }
        };
        Topic<String> topic =
                topic("t").publisher(d -> broker.take(d.message())).build();
        try (Relay relay = Fixture.relay(store).topic(topic).build()) {
            relay.start();
            fixture.commit(topic, "k:1");
            await("published", () -> broker.received().size() == 1);
            await("subscribed", () -> asked.get() == 3);
        }
    }

    @Test
    void workersKeepTheProcessAliveWhoeverStartsThem() throws Exception {
        AtomicBoolean daemon = new AtomicBoolean(true);
        Topic<String> topic = topic("t")
                .publisher(d -> {
                    daemon.set(Thread.currentThread().isDaemon());
                    return broker.take(d.message());
                })
                .build();
        try (Relay relay = Fixture.relay(fixture.store).topic(topic).build()) {
            Thread starter = new Thread(relay::start);
            starter.setDaemon(true);
            starter.start();
            starter.join();
            fixture.commit(topic, "k:1");
            await("published", () -> broker.received().size() == 1);
        }
        assertFalse(daemon.get());
    }

    @Test
    void anIdlePollerEndsOnInterruptToo() throws Exception {
        Topic<String> topic = topic("t").publisher(d -> Receipt.taken()).build();
        Relay relay = Fixture.relay(fixture.store)
                .topic(topic)
                .maxPollInterval(Duration.ofHours(1))
                .build();
        Thread poller = new Thread(() -> relay.pollForMessages(10));
        poller.start();
        await("pausing", () -> poller.getState() == Thread.State.TIMED_WAITING);
        poller.interrupt();
        poller.join();
        relay.close();
    }

    @Test
    void aPublisherMayCloseItsOwnRelay() {
        CompletableFuture<Relay> self = new CompletableFuture<>();
        Topic<String> topic = topic("t")
                .publisher(d -> {
                    self.join().close();
                    return broker.take(d.message());
                })
                .build();
        Relay relay = Fixture.relay(fixture.store).topic(topic).build();
        self.complete(relay);
        relay.start();
        fixture.commit(topic, "k:1", "k:2");
        await("settled", () -> fixture.operations().backlog().get(0).pending() == 1);
        assertEquals(List.of("k:1"), broker.received());
    }

    private void assertReleased(String... messages) {
        List<PersistedMessage> found = new ArrayList<>();
        await("something is released", () -> {
            try (MessageBatch batch = fixture.store.checkout(Set.of("t"), 10)) {
                found.addAll(batch.messages());
            }
            return !found.isEmpty();
        });
        assertEquals(
                List.of(messages),
                found.stream()
                        .map(m -> new String(m.payload(), java.nio.charset.StandardCharsets.UTF_8))
                        .toList());
        assertTrue(found.stream().mapToInt(PersistedMessage::attempts).allMatch(a -> a == 0));
    }

    private static boolean refuses(Relay relay) {
        try {
            relay.processMessages(1);
            return false;
        } catch (dev.outbox.MisuseException e) {
            return true;
        }
    }
}
