package dev.outbox.kafka;

import dev.outbox.publisher.tck.PublisherHarness;
import dev.outbox.publisher.tck.PublisherTck;

/** The publisher keeps the contract of publishers. */
class KafkaTckTest extends PublisherTck {
    @Override
    protected PublisherHarness harness() throws Exception {
        return new KafkaHarness(SharedKafka.server());
    }
}
