package dev.outbox.sqs;

import dev.outbox.publisher.tck.PublisherHarness;
import dev.outbox.publisher.tck.PublisherTck;

/** The publisher keeps the contract of publishers. */
class SqsTckTest extends PublisherTck {
    @Override
    protected PublisherHarness harness() {
        return new SqsHarness();
    }
}
