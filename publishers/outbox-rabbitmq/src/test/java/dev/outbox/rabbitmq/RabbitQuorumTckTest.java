package dev.outbox.rabbitmq;

import dev.outbox.publisher.tck.PublisherHarness;
import dev.outbox.publisher.tck.PublisherTck;
import org.junit.jupiter.api.Tag;

/** With quorum queues, on one server. */
@Tag("rabbitmq")
@Tag("versions")
class RabbitQuorumTckTest extends PublisherTck {
    @Override
    protected PublisherHarness harness() throws Exception {
        return new RabbitHarness("quorum");
    }
}
