package dev.outbox.publisher.tck;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.Delivery;
import dev.outbox.Receipt;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** What a publisher says to one message. */
final class Answer {
    private final Delivery<String> delivery;
    private final CompletableFuture<Receipt> stage;

    private Answer(Delivery<String> delivery, CompletableFuture<Receipt> stage) {
        this.delivery = delivery;
        this.stage = stage;
    }

    /** Starts publishing a message. */
    static Answer to(Delivery<String> delivery, AsyncBrokerPublisher<String> publisher) {
        try {
            @Nullable CompletionStage<Receipt> stage = publisher.publish(delivery);
            return new Answer(
                    delivery,
                    stage == null ? failed(new AssertionError("publish returned null")) : stage.toCompletableFuture());
        } catch (Exception e) {
            return new Answer(delivery, failed(e));
        }
    }

    private static CompletableFuture<Receipt> failed(Throwable thrown) {
        return CompletableFuture.failedFuture(thrown);
    }

    Delivery<String> delivery() {
        return delivery;
    }

    boolean isThere() {
        return stage.isDone();
    }

    /** Waits until there is an answer; false if it does not come in this time. */
    boolean comesWithin(Duration time) throws InterruptedException {
        try {
            stage.get(Math.max(0, time.toNanos()), TimeUnit.NANOSECONDS);
            return true;
        } catch (ExecutionException e) {
            return true;
        } catch (TimeoutException e) {
            return false;
        }
    }

    /** The receipt, or null if the message failed; waits for it. */
    @Nullable
    Receipt receiptOrNull() throws InterruptedException {
        return failureOrNull() == null ? stage.join() : null;
    }

    /** What the message failed with, or null if there is a receipt; waits for it. */
    @Nullable
    Throwable failureOrNull() throws InterruptedException {
        try {
            Receipt receipt = stage.get(Patience.get().toNanos(), TimeUnit.NANOSECONDS);
            return receipt == null ? new AssertionError("the stage was completed with null") : null;
        } catch (ExecutionException e) {
            return unwrapped(e);
        } catch (TimeoutException e) {
            throw new AssertionError(
                    "No answer to " + name() + " within " + Patience.get().toSeconds() + " seconds.", e);
        }
    }

    Receipt receipt() throws InterruptedException {
        Throwable failure = failureOrNull();
        if (failure != null) {
            throw new AssertionError("Expected a receipt for " + name() + ", but it failed: " + failure, failure);
        }
        return stage.join();
    }

    Throwable failure() throws InterruptedException {
        Throwable failure = failureOrNull();
        if (failure == null) {
            throw new AssertionError("Expected a failure of " + name() + ", but there is a receipt: " + stage.join());
        }
        return failure;
    }

    /** The message as texts of failures name it. */
    String name() {
        return "message '" + delivery.message() + "'";
    }

    private static Throwable unwrapped(Throwable thrown) {
        Throwable cause = thrown;
        while (cause.getCause() != null
                && (cause instanceof ExecutionException || cause instanceof CompletionException)) {
            cause = cause.getCause();
        }
        return cause;
    }
}
