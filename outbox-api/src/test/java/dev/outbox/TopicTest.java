package dev.outbox;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class TopicTest {
    record Order(String customer, int cents) {}

    private static final Order ORDER = new Order("C-1042", 1999);

    private static final class OrderCodec implements Codec<Order> {
        @Override
        public byte[] encode(Order order) {
            return (order.customer() + " " + order.cents()).getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public Order decode(byte[] payload) {
            String[] fields = new String(payload, StandardCharsets.UTF_8).split(" ", -1);
            return new Order(fields[0], Integer.parseInt(fields[1]));
        }
    }

    @Test
    void boundPublisherPersistsKeyPartitionHeadersAndPayload() {
        Topic<Order> topic = Topic.builder("orders", new OrderCodec())
                .key(Order::customer)
                .headers(o -> Map.of("cents", Integer.toString(o.cents())))
                .partitions(8)
                .build();
        List<OutgoingMessage> persisted = new ArrayList<>();
        List<OutboxListener.Persisted> events = new ArrayList<>();
        TransactionalPublisher<Order> bound = Outbox.bind(
                topic,
                m -> {
                    persisted.add(m);
                    return m.id();
                },
                new OutboxListener() {
                    @Override
                    public void persisted(Persisted event) {
                        events.add(event);
                    }
                });

        String id = bound.publish(ORDER);
        OutgoingMessage message = persisted.get(0);
        assertEquals(message.id(), id);
        assertEquals("orders", message.topic());
        assertEquals("C-1042", message.key());
        assertEquals(Map.of("cents", "1999"), message.headers());
        assertEquals("C-1042 1999", new String(message.payload(), StandardCharsets.UTF_8));
        assertEquals(id, events.get(0).id());
        assertSame(message, events.get(0).message());
    }

    @Test
    void theListenersOfATopicAreToldOnceOfEveryMessageThatIsWritten() {
        List<String> heard = new ArrayList<>();
        OutboxListener first = told("first", heard);
        OutboxListener second = told("second", heard);
        Topic<String> topic = Topic.builder("t", Codecs.text())
                .listener(first)
                .listener(second)
                .listener(first)
                .build();
        Outbox.bind(topic, OutgoingMessage::id).publishAll(List.of("a", "b"));
        assertEquals(List.of("first", "second", "first", "second"), heard);
        heard.clear();
        Outbox.bind(topic.toBuilder().build(), OutgoingMessage::id, second).publish("a");
        assertEquals(List.of("first", "second"), heard);
        heard.clear();
        Outbox.bind(topic, OutgoingMessage::id, told("third", heard)).publish("a");
        assertEquals(List.of("first", "second", "third"), heard);
    }

    private static OutboxListener told(String name, List<String> heard) {
        return new OutboxListener() {
            @Override
            public void persisted(Persisted event) {
                heard.add(name);
            }
        };
    }

    /** The hash is a promise: other versions and processes must choose the same partition. */
    @Test
    void partitionIsCrc32OfTheKey() {
        Topic<String> topic =
                Topic.builder("t", Codecs.text()).key(k -> k).partitions(100).build();
        assertEquals(0xCBF43926L % 100, topic.outgoing("123456789").partition()); // the check value of CRC-32
        Topic<String> single = Topic.builder("t", Codecs.text()).key(k -> k).build();
        assertEquals(0, single.outgoing("123456789").partition());
    }

    @Test
    void messagesWithoutAKeyAreSpread() {
        Topic<String> topic = Topic.builder("t", Codecs.text()).partitions(4).build();
        Set<Integer> partitions = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            OutgoingMessage message = topic.outgoing("x");
            assertNull(message.key());
            partitions.add(message.partition());
        }
        assertEquals(Set.of(0, 1, 2, 3), partitions);
    }

    @Test
    void whatCannotBeEncodedIsRejectedAndNothingIsPersisted() {
        List<OutgoingMessage> persisted = new ArrayList<>();
        PersistFunc persist = m -> {
            persisted.add(m);
            return "id";
        };
        Topic<String> badKey = Topic.builder("t", Codecs.text())
                .key(s -> {
                    throw new IllegalStateException("no key in it");
                })
                .build();
        assertTrue(assertThrows(
                        MessageRejectedException.class,
                        () -> Outbox.bind(badKey, persist).publish("x"))
                .getMessage()
                .contains("no key in it"));
        Topic<String> text = Topic.builder("t", Codecs.text()).build();
        assertThrows(
                MessageRejectedException.class, () -> Outbox.bind(text, persist).publish("\uD800"));
        assertThrows(
                MessageRejectedException.class, () -> Outbox.bind(text, persist).publishAll(List.of("x", "\uD800")));
        assertThrows(
                MessageRejectedException.class, () -> Outbox.bind(text, persist).publishAll(Arrays.asList("x", null)));
        assertTrue(assertThrows(
                        MessageRejectedException.class,
                        () -> Outbox.bind(text, persist).publishAll(none()))
                .getMessage()
                .contains("expected a list"));
        assertEquals(List.of(), persisted);
    }

    @SuppressWarnings("NullAway") // as those call it whose compiler does not look
    private static List<String> none() {
        return null;
    }

    @Test
    void severalAreWrittenByOneCall() {
        List<String> written = new ArrayList<>();
        List<String> ids = new ArrayList<>();
        PersistFunc persist = new PersistFunc() {
            @Override
            public String persist(OutgoingMessage message) {
                written.add(new String(message.payload(), StandardCharsets.UTF_8));
                ids.add(message.id());
                return message.id();
            }

            @Override
            public List<String> persistAll(List<OutgoingMessage> messages) {
                written.add(messages.size() + " together");
                return PersistFunc.super.persistAll(messages);
            }
        };
        List<String> told = new ArrayList<>();
        TransactionalPublisher<String> bound =
                Outbox.bind(Topic.builder("t", Codecs.text()).build(), persist, new OutboxListener() {
                    @Override
                    public void persisted(Persisted event) {
                        told.add(event.id());
                    }
                });
        assertEquals(ids, bound.publishAll(List.of("a", "b")));
        assertEquals(2, Set.copyOf(ids).size());
        assertEquals(List.of("2 together", "a", "b"), written);
        assertEquals(ids, told);
        assertEquals(List.of(), bound.publishAll(List.of()));
    }

    @Test
    void aStoreThatReturnsTooFewIdsIsNamed() {
        for (List<String> ids : Arrays.asList(null, List.of("1"), Arrays.asList("1", null))) {
            PersistFunc persist = new PersistFunc() {
                @Override
                public String persist(OutgoingMessage message) {
                    return "1";
                }

                @Override
                public List<String> persistAll(List<OutgoingMessage> messages) {
                    return ids;
                }
            };
            TransactionalPublisher<String> bound =
                    Outbox.bind(Topic.builder("t", Codecs.text()).build(), persist);
            String text = assertThrows(StoreException.class, () -> bound.publishAll(List.of("a", "b")))
                    .getMessage();
            assertTrue(text.contains("OBX-ID-1"), text);
        }
    }

    @Test
    void aStoreThatReturnsAnIdOfItsOwnIsNamed() {
        TransactionalPublisher<String> bound =
                Outbox.bind(Topic.builder("t", Codecs.text()).build(), message -> "1");
        String text =
                assertThrows(StoreException.class, () -> bound.publish("a")).getMessage();
        assertTrue(text.contains("OBX-ID-1") && text.contains("the id 1 for the message 0"), text);
    }

    @Test
    void aFailingListenerChangesNothing() {
        Topic<String> topic = Topic.builder("t", Codecs.text()).build();
        TransactionalPublisher<String> bound = Outbox.bind(topic, OutgoingMessage::id, new OutboxListener() {
            @Override
            public void persisted(Persisted event) {
                throw new AssertionError("listener");
            }
        });
        assertEquals(7, UUID.fromString(bound.publish("x")).version());
    }

    @Test
    void theTopicItselfPublishesToTheBroker() {
        Topic<String> sync = Topic.builder("t", Codecs.text())
                .publisher(d -> Receipt.of(d.message() + "/" + d.attempt()))
                .build();
        assertEquals("x/1", sync.direct().publish("x"));
        assertEquals(List.of("x/1", "y/1"), sync.direct().publishAll(List.of("x", "y")));
        Topic<String> async = Topic.builder("t", Codecs.text())
                .asyncPublisher(d -> CompletableFuture.supplyAsync(() -> Receipt.of(d.message() + "!")))
                .build();
        assertEquals("x!", async.direct().publish("x"));
        Topic<String> failing = Topic.builder("t", Codecs.text())
                .asyncPublisher(d -> CompletableFuture.failedFuture(new IOException("broker away")))
                .build();
        PublishException failure =
                assertThrows(PublishException.class, () -> failing.direct().publish("x"));
        assertTrue(failure.getCause() instanceof IOException, failure.toString());
        Topic<String> silent = Topic.builder("t", Codecs.text())
                .asyncPublisher(d -> new CompletableFuture<>())
                .publishTimeout(Duration.ofMillis(1))
                .build();
        assertThrows(PublishException.class, () -> silent.direct().publish("x"));
        Topic<String> none = Topic.builder("t", Codecs.text()).build();
        assertTrue(assertThrows(ConfigurationException.class, none::direct)
                .getMessage()
                .contains("has no publisher"));
    }

    @Test
    void builderRefusesNonsense() {
        assertThrows(MessageRejectedException.class, () -> Topic.builder("two words", Codecs.text()));
        Topic.Builder<String> builder = Topic.builder("t", Codecs.text());
        assertTrue(assertThrows(ConfigurationException.class, () -> builder.partitions(0))
                .getMessage()
                .contains("partitions is 0; expected 1 to 10000"));
        assertThrows(ConfigurationException.class, () -> builder.inFlight(0));
        assertThrows(ConfigurationException.class, () -> builder.publishTimeout(Duration.ZERO));
    }

    @Test
    void bytesAreKeptAndNotSharedWithTheWriter() throws Exception {
        byte[] bytes = {0, -1, 2};
        byte[] encoded = Codecs.bytes().encode(bytes);
        bytes[0] = 9;
        assertArrayEquals(new byte[] {0, -1, 2}, encoded);
        assertThrows(IOException.class, () -> Codecs.text().decode(new byte[] {(byte) 0xC0}));
        assertEquals("😀", Codecs.text().decode(Codecs.text().encode("😀")));
    }

    @Test
    void aTopicBuiltFromAnotherIsTheSameButForWhatIsSet() {
        BrokerPublisher<String> publisher = d -> Receipt.taken();
        Topic<String> topic = Topic.builder("t", Codecs.text())
                .key(m -> "k")
                .headers(m -> Map.of("h", "v"))
                .partitions(3)
                .publisher(publisher)
                .inFlight(5)
                .publishTimeout(Duration.ofSeconds(7))
                .retry(RetryPolicy.defaults().withUnlimitedAttempts())
                .build();
        Topic<String> same = topic.toBuilder().build();
        assertEquals("t", same.name());
        assertSame(topic.codec(), same.codec());
        assertSame(topic.key(), same.key());
        assertSame(topic.headers(), same.headers());
        assertEquals(3, same.partitions());
        assertSame(publisher, same.publisher());
        assertNull(same.asyncPublisher());
        assertEquals(5, same.inFlight());
        assertEquals(Duration.ofSeconds(7), same.publishTimeout());
        assertSame(topic.retry(), same.retry());
        AsyncBrokerPublisher<String> later = d -> CompletableFuture.completedStage(Receipt.taken());
        Topic<String> other =
                same.toBuilder().asyncPublisher(later).partitions(4).build();
        assertSame(later, other.asyncPublisher());
        assertNull(other.publisher());
        assertEquals(4, other.partitions());
        assertEquals(3, same.partitions());
    }

    @Test
    void aPublisherMayRefuseATopicThatIsBuilt() {
        List<TopicSettings> asked = new ArrayList<>();
        AsyncBrokerPublisher<String> asynchronous = new AsyncBrokerPublisher<>() {
            @Override
            public CompletableFuture<Receipt> publish(Delivery<String> delivery) {
                return CompletableFuture.completedFuture(Receipt.taken());
            }

            @Override
            public void check(TopicSettings topic) {
                asked.add(topic);
                refuseIfShort(topic);
            }
        };
        BrokerPublisher<String> synchronous = new BrokerPublisher<>() {
            @Override
            public Receipt publish(Delivery<String> delivery) {
                return Receipt.taken();
            }

            @Override
            public void check(TopicSettings topic) {
                refuseIfShort(topic);
            }
        };
        Topic<String> topic =
                Topic.builder("t", Codecs.text()).asyncPublisher(asynchronous).build();
        assertEquals(
                List.of(new TopicSettings("t", 1, 1, topic.publishTimeout(), topic.retry())),
                asked,
                "the topics that the publisher was asked about");
        topic.direct().publish("a message");
        assertEquals(1, asked.size(), "how often it was asked");
        Topic.Builder<String> changed = topic.toBuilder().publishTimeout(Duration.ofSeconds(9));
        assertThrows(ConfigurationException.class, changed::build, "a topic that is changed to be unfit");
        Topic.Builder<String> other = Topic.builder("t", Codecs.text())
                .publishTimeout(Duration.ofSeconds(9))
                .publisher(synchronous);
        assertThrows(ConfigurationException.class, other::build, "a topic that is unfit for a synchronous publisher");
        assertSame(
                synchronous,
                other.publishTimeout(Duration.ofSeconds(10)).build().publisher());
    }

    private static void refuseIfShort(TopicSettings topic) {
        if (topic.publishTimeout().compareTo(Duration.ofSeconds(10)) < 0) {
            throw new ConfigurationException("Topic " + topic.name() + " waits too shortly.");
        }
    }
}
