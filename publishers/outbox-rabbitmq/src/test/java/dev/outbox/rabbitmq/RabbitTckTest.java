package dev.outbox.rabbitmq;

import dev.outbox.publisher.tck.PublisherHarness;
import dev.outbox.publisher.tck.PublisherTck;
import org.junit.jupiter.api.Tag;

@Tag("rabbitmq")
class RabbitTckTest extends PublisherTck {
    @Override
    protected PublisherHarness harness() throws Exception {
        return new RabbitHarness("classic");
    }
}
