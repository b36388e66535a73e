package dev.outbox.kafka;

import dev.outbox.publisher.tck.PublisherHarness;
import dev.outbox.publisher.tck.PublisherTck;
import dev.outbox.servers.KafkaServer;

/** The publisher keeps the contract of publishers. */
class KafkaTckTest extends PublisherTck {
    @Override
    protected PublisherHarness harness() {
        return new KafkaHarness(KafkaServer.killable());
    }
}
