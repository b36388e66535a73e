package dev.outbox.nats;

import dev.outbox.Receipt;
import java.util.concurrent.CompletableFuture;

/** A message that was given to the client and is not answered yet. */
final class Pending {
    final Outgoing message;
    final long since;
    final CompletableFuture<Receipt> answer = new CompletableFuture<>();

    Pending(Outgoing message, long since) {
        this.message = message;
        this.since = since;
    }
}
