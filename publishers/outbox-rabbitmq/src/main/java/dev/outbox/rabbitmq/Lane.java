package dev.outbox.rabbitmq;

import com.rabbitmq.client.ShutdownSignalException;
import dev.outbox.Receipt;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The channels, one after the other, that the messages of some partitions go through. AMQP keeps order within a
 * channel.
 *
 * <p><b>No overtaking.</b> Suppose a channel breaks with messages 1 to 3 of a partition on it, and the relay, which has
 * not seen that yet, starts message 4. On a new channel message 4 would arrive, and before 1 to 3. So a lane remembers
 * the first message of each partition that has failed. The next message of the partition must be that one: it shows
 * that the relay has seen the failure. Any other is refused, once. By then the stages of the failed messages have been
 * completed or are being completed, and the relay starts nothing after them.
 */
final class Lane {
    private final Errors errors;
    private final String exchange;
    private final Unroutable unroutable;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, String> firstFailures = new ConcurrentHashMap<>();

    private volatile @Nullable ConfirmedChannel channel;

    Lane(Errors errors, String exchange, Unroutable unroutable) {
        this.errors = errors;
        this.exchange = exchange;
        this.unroutable = unroutable;
    }

    /** Sends a message, on a connection that {@link Connector#get} has found. */
    CompletionStage<Receipt> publish(Link link, Outgoing message, long since) {
        lock.lock(); // for as long as another message is written, which the keeper of the time bounds
        try {
            ConfirmedChannel open = open(link);
            String first = firstFailures.remove(message.order());
            if (first != null && !first.equals(message.id())) {
                throw errors.away("has not taken an earlier message of the partition, so this one waits.", null);
            }
            Pending pending = new Pending(message, since);
            open.publish(pending);
            return pending.answer;
        } finally {
            lock.unlock();
        }
    }

    private ConfirmedChannel open(Link link) {
        ConfirmedChannel known = channel;
        if (known != null && known.isOpen()) {
            return known;
        }
        if (known != null) {
            known.endAsClosed(); // all on it have failed before the next is opened
        }
        try {
            ConfirmedChannel made = ConfirmedChannel.open(
                    link.connection,
                    exchange,
                    unroutable,
                    errors,
                    failed -> firstFailures.putIfAbsent(failed.message.order(), failed.message.id()));
            channel = made;
            return made;
        } catch (IOException | ShutdownSignalException e) {
            ShutdownSignalException signal = Errors.signalIn(e);
            throw errors.away(signal == null ? "opens no channel: " + e : Errors.textOf(signal), e);
        }
    }

    boolean isLate(long now, long nanos) {
        ConfirmedChannel known = channel;
        return known != null && known.isLate(now, nanos);
    }

    void condemn(Failure reason) {
        ConfirmedChannel known = channel;
        if (known != null) {
            known.condemn(reason);
        }
    }

    void end(Failure failure) {
        ConfirmedChannel known = channel;
        if (known != null) {
            known.end(failure);
        }
    }

    List<Pending> pending() {
        ConfirmedChannel known = channel;
        return known == null ? List.of() : known.pending();
    }
}
