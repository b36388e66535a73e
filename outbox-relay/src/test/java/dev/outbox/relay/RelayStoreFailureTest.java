package dev.outbox.relay;

import static dev.outbox.relay.Fixture.await;
import static dev.outbox.relay.Fixture.topic;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.OutboxListener;
import dev.outbox.PersistedMessage;
import dev.outbox.StoreException;
import dev.outbox.Topic;
import dev.outbox.relay.Fixture.Broker;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RelayStoreFailureTest {
    private final Fixture fixture = new Fixture();
    private final Broker broker = new Broker();
    private final Topic<String> topic =
            topic("t").publisher(d -> broker.take(d.message())).build();

    @Test
    void aFailedCheckoutIsReportedAndTheNextOneTried() {
        StoreException away = new StoreException("server away");
        AtomicInteger failures = new AtomicInteger(3);
        WrappedStore flaky = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                if (failures.getAndDecrement() > 0) {
                    throw away;
                }
                return super.checkout(topics, limit);
            }
        };
        List<OutboxListener.StoreFailed> seen = new ArrayList<>();
        OutboxListener listener = new OutboxListener() {
            @Override
            public void storeFailed(StoreFailed event) {
                seen.add(event);
            }
        };
        fixture.commit(topic, "k:1");
        try (Relay relay = Fixture.relay(flaky).topic(topic).listener(listener).build()) {
            assertEquals(new RoundResult(0, 0, away), relay.processMessages(10));
            relay.start();
            await("published", () -> broker.received().equals(List.of("k:1")));
        }
        assertEquals(3, seen.size());
        assertEquals(OutboxListener.Step.CHECKOUT, seen.get(0).step());
        assertSame(away, seen.get(0).error());
    }

    @Test
    void aBatchThatDoesNotFitIntoMemoryIsTriedSmaller() {
        WrappedStore narrow = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                if (limit > 3) {
                    throw new StoreException("the driver gave up", new OutOfMemoryError("of the test"));
                }
                return super.checkout(topics, limit);
            }
        };
        fixture.commit(topic, "k:1", "k:2", "k:3", "k:4", "k:5", "k:6", "k:7");
        try (Relay relay = Fixture.relay(narrow).topic(topic).batchSize(20).build()) {
            relay.start();
            await(
                    "published in batches of 2",
                    () -> broker.received().equals(List.of("k:1", "k:2", "k:3", "k:4", "k:5", "k:6", "k:7")));
        }
    }

    @Test
    void unexpectedExceptionsOfAStoreAreStoreErrorsToo() {
        WrappedStore broken = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                throw new UnsupportedOperationException("oops");
            }
        };
        try (Relay relay = Fixture.relay(broken).topic(topic).build()) {
            OutboxException error = relay.processMessages(10).storeError();
            assertInstanceOf(StoreException.class, error);
            assertInstanceOf(
                    UnsupportedOperationException.class, assertNotNullAnd(error).getCause());
        }
    }

    @Test
    void whatWasPublishedIsSettledAndNotPublishedAgainAfterAFailedClose() {
        AtomicInteger closes = new AtomicInteger();
        WrappedStore flaky = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                MessageBatch real = super.checkout(topics, limit);
                return new Batch(real) {
                    @Override
                    public void markPublished(PersistedMessage message, @Nullable String publishId) {
                        if (closes.get() > 0) {
                            super.markPublished(message, publishId);
                        }
                    }

                    @Override
                    public void close() {
                        super.close(); // without the marks, as if the hold had been lost
                        if (closes.getAndIncrement() == 0) {
                            throw new HoldLostException("lease over");
                        }
                    }
                };
            }
        };
        fixture.commit(topic, "k:1", "k:2");
        try (Relay relay = Fixture.relay(flaky).topic(topic).build()) {
            RoundResult first = relay.processMessages(10);
            assertEquals(2, first.published());
            assertInstanceOf(HoldLostException.class, first.storeError());
            assertEquals(2, relay.state().unsettled());
            assertNotNull(relay.state().closesFailSince());
            assertEquals(new RoundResult(1, 0, null), relay.processMessages(10)); // one, as a proof
            assertNull(relay.state().closesFailSince());
            assertEquals(new RoundResult(1, 0, null), relay.processMessages(10));
            assertEquals(0, relay.state().unsettled());
        }
        assertEquals(List.of("k:1", "k:2"), broker.received());
        assertEquals(List.of(), fixture.operations().backlog());
    }

    @Test
    void aFailedMarkEndsTheBatch() {
        WrappedStore flaky = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                return new Batch(super.checkout(topics, limit)) {
                    @Override
                    public void markPublished(PersistedMessage message, @Nullable String publishId) {
                        throw new StoreException("no mark");
                    }
                };
            }
        };
        fixture.commit(topic, "k:1", "k:2");
        try (Relay relay = Fixture.relay(flaky).topic(topic).build()) {
            RoundResult result = relay.processMessages(10);
            assertEquals(1, result.published());
            assertInstanceOf(StoreException.class, result.storeError());
        }
        assertEquals(List.of("k:1"), broker.received());
    }

    @Test
    void onlyWhatWasMarkedCountsAsSettled() {
        AtomicInteger marks = new AtomicInteger();
        WrappedStore flaky = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                return new Batch(super.checkout(topics, limit)) {
                    @Override
                    public void markPublished(PersistedMessage message, @Nullable String publishId) {
                        if (marks.incrementAndGet() == 2) {
                            throw new StoreException("no mark");
                        }
                        super.markPublished(message, publishId);
                    }
                };
            }
        };
        List<OutboxListener.Settled> settled = new ArrayList<>();
        OutboxListener listener = new OutboxListener() {
            @Override
            public void settled(Settled event) {
                settled.add(event);
            }
        };
        fixture.commit(topic, "k:1", "k:2", "k:3");
        try (Relay relay = Fixture.relay(flaky).topic(topic).listener(listener).build()) {
            assertEquals(2, relay.processMessages(10).published());
        }
        assertEquals(1, settled.get(0).published());
        assertEquals(2, settled.get(0).released());
        assertEquals(2, fixture.operations().backlog().get(0).pending());
    }

    @Test
    void aBatchThatCannotTellItsMessagesIsClosed() {
        AtomicInteger closed = new AtomicInteger();
        WrappedStore broken = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                return new Batch(super.checkout(topics, limit)) {
                    @Override
                    public List<PersistedMessage> messages() {
                        throw new IllegalStateException("no messages");
                    }

                    @Override
                    public void close() {
                        closed.incrementAndGet();
                        super.close();
                    }
                };
            }
        };
        try (Relay relay = Fixture.relay(broken).topic(topic).build()) {
            assertInstanceOf(StoreException.class, relay.processMessages(10).storeError());
        }
        assertEquals(1, closed.get());
    }

    /** A process that was paused beyond its lease must not go on publishing what somebody else has by now. */
    @Test
    void nothingIsStartedOnceTheHoldIsLost() {
        WrappedStore losing = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                return new Batch(super.checkout(topics, limit)) {
                    @Override
                    public boolean isHeld() {
                        return broker.received().isEmpty();
                    }
                };
            }
        };
        fixture.commit(topic, "k:1", "k:2", "k:3");
        try (Relay relay = Fixture.relay(losing).topic(topic).build()) {
            relay.processMessages(10);
        }
        assertEquals(List.of("k:1"), broker.received());
    }

    @Test
    void aMessageNobodyAskedForIsTheStoresFault() {
        WrappedStore mixed = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                return super.checkout(Set.of("t", "other"), limit);
            }
        };
        fixture.commit(topic("other").build(), "k:0");
        try (Relay relay = Fixture.relay(mixed).topic(topic).build()) {
            OutboxException error = assertNotNullAnd(relay.processMessages(10).storeError());
            assertTrue(error.getMessage().contains("OBX-FILTER-1"), error.getMessage());
        }
        assertEquals(1, fixture.operations().backlog().get(0).pending());
    }

    private static <E> E assertNotNullAnd(@Nullable E value) {
        assertNotNull(value);
        return value;
    }
}
