package dev.outbox.nats;

import dev.outbox.publisher.tck.PublisherHarness;
import dev.outbox.publisher.tck.PublisherTck;
import org.junit.jupiter.api.Tag;

@Tag("nats")
class NatsTckTest extends PublisherTck {
    @Override
    protected PublisherHarness harness() throws Exception {
        return new NatsHarness();
    }
}
