package dev.outbox.sqs;

import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sqs.model.SendMessageResponse;

/**
 * The messages of one partition, which are sent one after the other: SQS keeps the order in which requests arrive, and
 * two requests may arrive in any order.
 *
 * <p><b>No overtaking.</b> If a message fails that is tried again, those that wait for their turn fail, too, and are
 * not sent. The relay learns of the failures by their stages. But it may start one more message before it does. So a
 * lane remembers the message that has failed. The next message of the partition must be that one. Any other is refused,
 * once. By then the relay has seen the failure.
 */
final class Lane {
    /** With less than this part of the time left, a request is not worth its risk. */
    private static final int SHORTEST_PART = 20;

    private final Queue queue;
    private final Errors errors;
    private final Duration limit;
    private final BooleanSupplier closed;

    // Guarded by this.
    private final Deque<Pending> waiting = new ArrayDeque<>();
    private @Nullable Pending sending;
    private @Nullable String firstFailure;

    /**
     * Makes an empty lane.
     *
     * @param limit from the call until the answer
     * @param closed whether the publisher takes no messages any longer; it then {@linkplain #end ends} its lanes
     */
    Lane(Queue queue, Errors errors, Duration limit, BooleanSupplier closed) {
        this.queue = queue;
        this.errors = errors;
        this.limit = limit;
        this.closed = closed;
    }

    /** Sends a message when it is its turn. */
    CompletionStage<Receipt> publish(Outgoing message, long since) {
        Pending mine = new Pending(message, since);
        synchronized (this) {
            if (closed.getAsBoolean()) {
                throw errors.away("is not used any longer: the publisher is closed. Close it after the relay.", null);
            }
            String first = firstFailure;
            firstFailure = null;
            if (first != null && !first.equals(message.id())) {
                throw errors.away("has not taken an earlier message of the partition, so this one waits.", null);
            }
            if (sending != null) {
                waiting.add(mine);
                return mine.answer;
            }
            sending = mine;
        }
        begin(mine);
        return mine.answer;
    }

    private void begin(Pending message) {
        CompletableFuture<Queue.Facts> known = queue.facts();
        whenTold(message, known, facts -> {
            if (message.message.size() <= facts.largest()) {
                send(message, facts);
            } else { // an operator may have raised the limit
                whenTold(message, queue.factsAfter(known), newer -> {
                    if (message.message.size() <= newer.largest()) {
                        send(message, newer);
                    } else {
                        failed(message, errors.tooLarge(message.message.size(), newer.largest()));
                    }
                });
            }
        });
    }

    /** What is done with what the queue has told. */
    private interface Use {
        void of(Queue.Facts facts);
    }

    /** A message whose time may end before the queue has told fails now: later, it would be answered too late. */
    private void whenTold(Pending message, CompletableFuture<Queue.Facts> told, Use use) {
        if (!told.isDone() && left(message).compareTo(queue.longest()) < 0) {
            failed(message, tooLate());
            return;
        }
        CompletionStage<Queue.Facts> answer = told;
        answer.whenComplete((facts, thrown) -> {
            if (thrown != null) {
                failed(message, errors.of(thrown));
            } else {
                use.of(facts);
            }
        });
    }

    private void send(Pending message, Queue.Facts facts) {
        Duration left = left(message);
        if (left.compareTo(limit.dividedBy(SHORTEST_PART)) < 0) {
            failed(message, tooLate());
            return;
        }
        if (message.answer.isDone()) {
            return; // the lane has ended
        }
        try {
            CompletableFuture<SendMessageResponse> request = queue.send(facts, message.message, left);
            message.request = request;
            if (message.answer.isDone()) {
                request.cancel(true); // it ended meanwhile
            }
            CompletionStage<SendMessageResponse> answer = request;
            answer.whenComplete((taken, thrown) -> {
                if (thrown == null) {
                    taken(message, Receipt.of(taken.messageId()));
                } else {
                    failed(message, errors.of(thrown));
                }
            });
        } catch (RuntimeException e) {
            failed(message, errors.of(e));
        }
    }

    private Duration left(Pending message) {
        return limit.minusNanos(System.nanoTime() - message.since);
    }

    private Exception tooLate() {
        return errors.away("has taken too long for earlier requests.", null);
    }

    private void taken(Pending message, Receipt receipt) {
        @Nullable Pending next = next(message);
        message.answer.complete(receipt);
        if (next != null) {
            begin(next);
        }
    }

    /** A message that is given up holds up no later one. */
    private void failed(Pending message, Exception failure) {
        if (failure instanceof PermanentFailureException) {
            @Nullable Pending next = next(message);
            message.answer.completeExceptionally(failure);
            if (next != null) {
                begin(next);
            }
            return;
        }
        List<Pending> later = new ArrayList<>();
        synchronized (this) {
            if (message.equals(sending)) {
                sending = null;
                firstFailure = message.message.id();
                later.addAll(waiting);
                waiting.clear();
            }
        }
        message.answer.completeExceptionally(failure);
        later.forEach(each -> each.answer.completeExceptionally(errors.away(
                "has not got the message, because message " + message.message.id()
                        + " of its partition has failed and comes first.",
                null)));
    }

    private synchronized @Nullable Pending next(Pending message) {
        if (!message.equals(sending)) {
            return null;
        }
        sending = waiting.poll();
        return sending;
    }

    /** What is not answered now. */
    synchronized List<Pending> pending() {
        List<Pending> all = new ArrayList<>(waiting);
        if (sending != null) {
            all.add(0, sending);
        }
        return all;
    }

    /** Ends requests, and fails everything that is not answered. */
    void end(String reason) {
        List<Pending> open;
        synchronized (this) {
            open = pending();
            waiting.clear();
            sending = null;
        }
        for (Pending message : open) {
            CompletableFuture<?> request = message.request;
            if (request != null) {
                request.cancel(true);
            }
            message.answer.completeExceptionally(errors.away(reason, null));
        }
    }
}
