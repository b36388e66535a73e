package dev.outbox.kafka;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.OutboxHeaders;
import dev.outbox.publisher.tck.BrokerFault;
import dev.outbox.publisher.tck.PublisherHarness;
import dev.outbox.publisher.tck.ReceivedMessage;
import dev.outbox.servers.KafkaServer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** Kafka, for the TCK. */
final class KafkaHarness implements PublisherHarness {
    /** Short, so that tests do not wait long for what a producer gives up. */
    static final Map<String, Object> TIMES =
            Map.of("max.block.ms", 1_500, "delivery.timeout.ms", 2_500, "request.timeout.ms", 1_200);

    private static final String SECRET = "s3cret-of-the-publisher";
    private static final String LOGIN =
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"app\" password=\"" + SECRET
                    + "\";";

    private final KafkaServer server;
    private final KafkaTopics topics;

    KafkaHarness(KafkaServer server) {
        this.server = server;
        this.topics = new KafkaTopics(server.direct());
    }

    @Override
    public String createDestination() throws Exception {
        String topic = "tck-" + UUID.randomUUID();
        topics.create(topic);
        return topic;
    }

    @Override
    public AsyncBrokerPublisher<String> open(String destination) {
        Map<String, Object> settings = new HashMap<>(TIMES);
        settings.put("bootstrap.servers", server.proxied());
        settings.put("sasl.jaas.config", LOGIN); // the listener does not ask for it
        return KafkaPublisher.<String>builder(settings).topic(destination).build();
    }

    @Override
    public List<ReceivedMessage> received(String destination) {
        return topics.records(destination).stream()
                .filter(message -> message.headers().lastHeader(OutboxHeaders.ID) != null)
                .map(KafkaHarness::received)
                .toList();
    }

    private static ReceivedMessage received(ConsumerRecord<byte[], byte[]> message) {
        Map<String, String> headers = new HashMap<>();
        message.headers().forEach(header -> headers.put(header.key(), KafkaTopics.text(header.value())));
        String unit = "partition " + message.partition();
        String id = Objects.requireNonNull(headers.get(OutboxHeaders.ID));
        return new ReceivedMessage(unit, KafkaTopics.text(message.key()), headers, message.value(), id);
    }

    @Override
    public AutoCloseable cause(BrokerFault fault, String destination) throws Exception {
        switch (fault) {
            case KILLED -> {
                server.kill();
                return server::restart;
            }
            case PAUSED -> {
                server.pause();
                return server::resume;
            }
            case CUT_OFF -> {
                server.network().refuse();
                return server.network()::heal;
            }
            case MISSING -> {
                topics.delete(destination);
                return () -> topics.create(destination);
            }
            case FORBIDDEN -> {
                AclBinding forbidden = new AclBinding(
                        new ResourcePattern(ResourceType.TOPIC, destination, PatternType.LITERAL),
                        new AccessControlEntry("User:*", "*", AclOperation.WRITE, AclPermissionType.DENY));
                try (Admin admin = topics.admin()) {
                    admin.createAcls(Set.of(forbidden)).all().get(60, TimeUnit.SECONDS);
                }
                topics.awaitRefusal(destination);
                return () -> allow(forbidden);
            }
            default -> throw new AssertionError(fault);
        }
    }

    @Override
    public Map<BrokerFault, String> without() {
        return Map.of(
                BrokerFault.FULL,
                "a broker whose disk is full ends itself, and one node has no other whose replicas could be missing");
    }

    private void allow(AclBinding forbidden) throws Exception {
        try (Admin admin = topics.admin()) {
            admin.deleteAcls(Set.of(forbidden.toFilter())).all().get(60, TimeUnit.SECONDS);
        }
    }

    @Override
    public int refusedSize() {
        return 2 * 1024 * 1024;
    }

    @Override
    public int inFlight() {
        return 8;
    }

    @Override
    public Set<String> secrets() {
        return Set.of(SECRET);
    }

    @Override
    public boolean brokerSpeaksFirst() {
        return true;
    }

    @Override
    public void removeDestination(String destination) throws Exception {
        topics.delete(destination);
    }

    @Override
    public void close() {
        // Other tests use the server.
    }
}
