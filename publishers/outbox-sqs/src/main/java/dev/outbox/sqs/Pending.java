package dev.outbox.sqs;

import dev.outbox.Receipt;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A message that waits for its turn or for the answer of SQS. */
final class Pending {
    final Outgoing message;
    final long since;
    final CompletableFuture<Receipt> answer = new CompletableFuture<>();

    /** The request, once there is one. */
    volatile @Nullable CompletableFuture<?> request;

    Pending(Outgoing message, long since) {
        this.message = message;
        this.since = since;
    }
}
