package dev.outbox.micrometer;

import dev.outbox.Delivery;
import io.micrometer.observation.transport.Kind;
import io.micrometer.observation.transport.SenderContext;

/**
 * One call of a publisher. Nothing is added to the headers of the message: it keeps the trace that it was written in,
 * so that a retry does not change what consumers see.
 */
public final class OutboxPublishContext extends SenderContext<Delivery<?>> {
    private final Delivery<?> delivery;

    OutboxPublishContext(Delivery<?> delivery) {
        super((carrier, key, value) -> {}, Kind.PRODUCER);
        this.delivery = delivery;
        setCarrier(delivery);
    }

    /** The message, with what is known about it. */
    public Delivery<?> delivery() {
        return delivery;
    }
}
