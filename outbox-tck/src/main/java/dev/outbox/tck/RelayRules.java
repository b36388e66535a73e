package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.Capability;
import dev.outbox.Codecs;
import dev.outbox.Delivery;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.RetryPolicy;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** The real relay over the store. */
@AtLevel(Level.CONCURRENCY)
interface RelayRules {
    @Rule("OBX-RELAY-1")
    default void aPoisonMessageBecomesADeadLetter(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        String poison = outbox.commit(TOPIC, 0, "poison", "next").get(0);
        List<String> tried = new ArrayList<>();
        Topic<String> topic = Topic.builder(TOPIC, Codecs.text())
                .retry(RetryPolicy.defaults().withMaxAttempts(3).withInitialDelay(Duration.ZERO))
                .publisher(delivery -> {
                    tried.add(delivery.message() + " " + delivery.attempt());
                    if (delivery.message().equals("poison")) {
                        throw new IllegalStateException("cannot be published");
                    }
                    return Receipt.taken();
                })
                .build();
        relayUntilTheNextIsPublished(outbox, client, topic, tried);
        assertEquals(List.of("poison 1", "poison 2", "poison 3", "next 1"), tried, "what was tried, and which attempt");
        outbox.open().expectNothing("one message was published, the other given up");
        expectAttempts(3, client, poison);
    }

    @Rule("OBX-RELAY-1")
    default void aBrokerThatIsAwayCountsNoAttemptAndAPermanentFailureNeedsOne(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        List<String> ids = outbox.commit(TOPIC, 0, "first", "poison", "next");
        List<String> tried = new ArrayList<>();
        Topic<String> topic = Topic.builder(TOPIC, Codecs.text())
                .publisher(delivery -> {
                    tried.add(delivery.message() + " " + delivery.attempt());
                    if (delivery.message().equals("poison")) {
                        if (tried.size() == 2) {
                            throw new BrokerUnavailableException("the broker is away");
                        }
                        throw new PermanentFailureException("cannot ever be published");
                    }
                    return Receipt.taken();
                })
                .build();
        relayUntilTheNextIsPublished(outbox, client, topic, tried);
        assertEquals(List.of("first 1", "poison 1", "poison 1", "next 1"), tried, "what was tried, and which attempt");
        outbox.open().expectNothing("two messages were published, the other given up");
        expectAttempts(1, client, ids.get(1));
    }

    private static void relayUntilTheNextIsPublished(
            TestOutbox outbox, Client client, Topic<String> topic, List<String> tried) throws Exception {
        try (Relay relay = Relay.builder(client.store()).topic(topic).build()) {
            outbox.eventually("the message after the poison is published", () -> {
                assertNull(relay.processMessages(10).storeError(), "the store's error in a round of the relay");
                return tried.contains("next 1") ? true : null;
            });
        }
        outbox.saw(tried.size());
    }

    private static void expectAttempts(int expected, Client client, String deadLetter) {
        if (TestOutbox.has(client, Capability.OPERATIONS)) {
            assertEquals(
                    expected,
                    client.operations()
                            .deadLetter(deadLetter)
                            .orElseThrow()
                            .message()
                            .attempts(),
                    "attempts of the dead letter");
        }
    }

    @Rule("OBX-RELAY-2")
    default void twoRelaysKeepEveryPartitionInOrder(TestOutbox outbox) throws Exception {
        int partitions = 3;
        int messages = 120;
        ConcurrentLinkedQueue<String> published = new ConcurrentLinkedQueue<>();
        long seed = outbox.seed();
        Broker broker = new Broker(published, new Random(seed));
        Client one = outbox.open();
        Client two = outbox.open();
        try (Relay first = relay(one, broker);
                Relay second = relay(two, broker)) {
            first.start();
            second.start();
            for (int i = 0; i < messages; i++) {
                outbox.commit(TOPIC, i % partitions, Integer.toString(i));
            }
            outbox.eventually(
                    "all " + messages + " messages are published", () -> broker.distinct() == messages ? true : null);
        }
        outbox.saw(published.size());
        if (TestOutbox.has(one, Capability.PARTITION_EXCLUSIVITY)) {
            TreeMap<Integer, Integer> last = new TreeMap<>();
            for (String each : published) {
                int i = Integer.parseInt(each);
                Integer before = last.put(i % partitions, i);
                assertEquals(
                        before == null ? i % partitions : before + partitions,
                        i,
                        "the message after " + before + " in its partition (seed " + seed + ")");
            }
            assertEquals(messages, published.size(), "publications, when no relay died (seed " + seed + ")");
        }
        outbox.open().expectNothing("all was published");
    }

    private static Relay relay(Client client, Broker broker) {
        Topic<String> topic = Topic.builder(TOPIC, Codecs.text())
                .retry(RetryPolicy.defaults()
                        .withUnlimitedAttempts()
                        .withInitialDelay(Duration.ofMillis(5))
                        .withMaxDelay(Duration.ofMillis(5)))
                .publisher(broker::publish)
                .build();
        return Relay.builder(client.store())
                .topic(topic)
                .workers(2)
                .batchSize(7)
                .maxPollInterval(Duration.ofMillis(20))
                .build();
    }

    /** Takes messages, except every eighth. */
    final class Broker {
        private final ConcurrentLinkedQueue<String> published;
        private final Set<String> distinct = ConcurrentHashMap.newKeySet();
        private final Random random;

        Broker(ConcurrentLinkedQueue<String> published, Random random) {
            this.published = published;
            this.random = random;
        }

        Receipt publish(Delivery<String> delivery) {
            if (random.nextInt(8) == 0) {
                throw new IllegalStateException("broker is away");
            }
            published.add(delivery.message());
            distinct.add(delivery.message());
            return Receipt.taken();
        }

        int distinct() {
            return distinct.size();
        }
    }
}
