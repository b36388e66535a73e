package dev.outbox.kafka;

import dev.outbox.Delivery;
import dev.outbox.Receipt;
import java.util.concurrent.CompletableFuture;

/** The answer to a message, with its place among those that were started. */
final class Pending extends CompletableFuture<Receipt> {
    final Delivery<?> delivery;
    final long order;

    Pending(Delivery<?> delivery, long order) {
        this.delivery = delivery;
        this.order = order;
    }
}
