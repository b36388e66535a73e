package dev.outbox.nats;

import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import io.nats.client.Connection;
import io.nats.client.JetStream;
import io.nats.client.api.PublishAck;
import io.nats.client.support.NatsJetStreamConstants;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One life of the connection, and the messages on it that are not answered. Its {@linkplain #end end} is final: all
 * that is not answered then fails, and an acknowledgement that comes later meets nobody.
 */
final class Link {
    private static final String THREAD = "outbox-nats-close";

    final Connection connection;
    private final JetStream jetStream;
    private final String stream;
    private final Errors errors;

    /** Is told of each message that fails and is tried again, before anybody else, in their order. */
    private final Consumer<Pending> onFailure;

    private final AtomicLong duplicates;
    private final AtomicLong number = new AtomicLong();

    /** By their order, which matters only at the end, so that nothing keeps them in it. */
    private final Map<Long, Pending> pending = new ConcurrentHashMap<>();

    private volatile @Nullable Function<Pending, Exception> condemned;
    private volatile @Nullable Function<Pending, Exception> ended;
    private volatile @Nullable Thread closing;

    Link(
            Connection connection,
            JetStream jetStream,
            String stream,
            Errors errors,
            Consumer<Pending> onFailure,
            AtomicLong duplicates) {
        this.connection = connection;
        this.jetStream = jetStream;
        this.stream = stream;
        this.errors = errors;
        this.onFailure = onFailure;
        this.duplicates = duplicates;
    }

    /** Whether it takes messages. One that does not has {@linkplain #end ended}, or is about to. */
    boolean isOpen() {
        return ended == null && condemned == null && connection.getStatus() == Connection.Status.CONNECTED;
    }

    /** Gives a message to the client, which is answered whatever happens. */
    void publish(Pending message) {
        long mine = number.incrementAndGet();
        pending.put(mine, message);
        Function<Pending, Exception> reason = ended;
        if (reason != null) {
            end(reason); // it may have ended before the message was among those that failed
            return;
        }
        Function<Pending, Exception> verdict = condemned;
        if (verdict != null) {
            if (pending.remove(mine, message)) {
                onFailure.accept(message);
                message.answer.completeExceptionally(verdict.apply(message));
            }
            return;
        }
        Outgoing outgoing = message.message;
        try {
            // The client would copy all headers to add those of PublishOptions.
            outgoing.headers()
                    .put(NatsJetStreamConstants.MSG_ID_HDR, outgoing.id())
                    .put(NatsJetStreamConstants.EXPECTED_STREAM_HDR, stream);
            CompletionStage<PublishAck> answer =
                    jetStream.publishAsync(outgoing.subject(), outgoing.headers(), outgoing.body());
            answer.whenComplete((ack, thrown) -> answered(mine, ack, thrown));
        } catch (RuntimeException e) {
            answered(mine, null, e);
        }
    }

    private void answered(long answered, @Nullable PublishAck ack, @Nullable Throwable thrown) {
        Pending message = pending.remove(answered);
        if (message == null) {
            return;
        }
        if (ack != null) {
            if (ack.isDuplicate()) {
                duplicates.incrementAndGet();
            }
            message.answer.complete(Receipt.of(ack.getStream() + ":" + ack.getSeqno()));
            return;
        }
        Exception failure = errors.of(
                thrown == null ? new IllegalStateException("no acknowledgement") : thrown, message.message.subject());
        note(message, failure);
        message.answer.completeExceptionally(failure);
    }

    /** A message that is given up holds up no later one. */
    private void note(Pending message, Exception failure) {
        if (!(failure instanceof PermanentFailureException)) {
            onFailure.accept(message);
        }
    }

    /** Fails the messages for one subject. */
    void failSubject(String subject, String reason) {
        for (Map.Entry<Long, Pending> each : inOrder()) {
            Pending message = each.getValue();
            if (message.message.subject().equals(subject) && pending.remove(each.getKey(), message)) {
                onFailure.accept(message);
                message.answer.completeExceptionally(errors.away(reason, null));
            }
        }
    }

    /** Of a partition, one thread at a time gives messages to the client, so none is missing before another. */
    private List<Map.Entry<Long, Pending>> inOrder() {
        return pending.entrySet().stream().sorted(Map.Entry.comparingByKey()).toList();
    }

    /** Takes no more messages from now on. What is not answered may still be, until the end. */
    void condemn(Function<Pending, Exception> why) {
        condemned = why;
    }

    /** Fails everything that is not answered. The first reason counts. */
    void end(Function<Pending, Exception> why) {
        Function<Pending, Exception> reason;
        List<Pending> failed = new ArrayList<>();
        synchronized (this) {
            reason = ended == null ? why : ended;
            ended = reason;
            for (Map.Entry<Long, Pending> each : inOrder()) { // what comes after this sees that it has ended
                if (pending.remove(each.getKey(), each.getValue())) {
                    onFailure.accept(each.getValue());
                    failed.add(each.getValue());
                }
            }
        }
        for (Pending message : failed) {
            message.answer.completeExceptionally(reason.apply(message));
        }
    }

    /** Whether a message has waited this long. */
    boolean isLate(long now, long nanos) {
        return pending.values().stream().anyMatch(message -> now - message.since > nanos);
    }

    /** What is not answered now. */
    List<Pending> pending() {
        return List.copyOf(pending.values());
    }

    /** Closes the connection on a thread of its own, because the client waits for its own threads meanwhile. */
    void close() {
        Thread thread = new Thread(
                () -> {
                    try {
                        connection.close();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    } catch (RuntimeException e) {
                        // it is gone
                    }
                },
                THREAD);
        thread.setDaemon(true);
        closing = thread;
        thread.start();
    }

    /** Waits until the client writes no more, if the connection is being closed; the client has a limit for that. */
    void awaitClosed(Duration most) {
        Thread thread = closing;
        if (thread == null) {
            return;
        }
        try {
            thread.join(most.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
