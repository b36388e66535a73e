package dev.outbox.rabbitmq;

import dev.outbox.Receipt;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A message that was sent and is not answered yet. */
final class Pending {
    final Outgoing message;
    final long since;
    final CompletableFuture<Receipt> answer = new CompletableFuture<>();

    /** Set if the broker has returned the message; its confirm follows. */
    volatile @Nullable String returned;

    Pending(Outgoing message, long since) {
        this.message = message;
        this.since = since;
    }
}
