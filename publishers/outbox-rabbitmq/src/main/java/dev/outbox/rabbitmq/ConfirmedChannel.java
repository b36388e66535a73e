package dev.outbox.rabbitmq;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConfirmListener;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.Return;
import com.rabbitmq.client.ReturnCallback;
import com.rabbitmq.client.ShutdownListener;
import com.rabbitmq.client.ShutdownSignalException;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A channel in confirm mode, and the messages on it that are not answered. Its {@linkplain #end end} is final: all that
 * is not answered then fails, and a confirm that comes later meets nobody. One thread at a time publishes; others
 * answer.
 *
 * <p>The messages are in a map that needs no lock. The thread that reads from the broker must never wait for a thread
 * that writes: the broker may stop reading until its client has read what it says.
 */
final class ConfirmedChannel implements ConfirmListener, ReturnCallback, ShutdownListener {
    private final Channel channel;
    private final String exchange;
    private final Unroutable unroutable;
    private final Errors errors;

    /** Is told of each message that fails and is tried again, before anybody else, in their order. */
    private final Consumer<Pending> onFailure;

    private final ConcurrentNavigableMap<Long, Pending> pending = new ConcurrentSkipListMap<>();
    private final Map<String, Pending> byId = new ConcurrentHashMap<>();

    /** When the write began that is going on, or 0. */
    private volatile long writingSince;

    private volatile @Nullable Failure ended;

    private ConfirmedChannel(
            Channel channel, String exchange, Unroutable unroutable, Errors errors, Consumer<Pending> onFailure) {
        this.channel = channel;
        this.exchange = exchange;
        this.unroutable = unroutable;
        this.errors = errors;
        this.onFailure = onFailure;
    }

    static ConfirmedChannel open(
            Connection connection, String exchange, Unroutable unroutable, Errors errors, Consumer<Pending> onFailure)
            throws IOException {
        @Nullable Channel channel = connection.createChannel();
        if (channel == null) {
            throw new IOException("the connection allows no further channel; publish on fewer, or raise channel_max");
        }
        ConfirmedChannel confirmed = new ConfirmedChannel(channel, exchange, unroutable, errors, onFailure);
        channel.addConfirmListener(confirmed);
        channel.addReturnListener(confirmed);
        channel.addShutdownListener(confirmed);
        channel.confirmSelect();
        return confirmed;
    }

    /** Whether it takes messages. One that does not has {@linkplain #end ended}, or is about to. */
    boolean isOpen() {
        return ended == null && channel.isOpen();
    }

    /** Sends a message, which is answered whatever happens. */
    void publish(Pending message) {
        if (byId.putIfAbsent(message.message.id(), message) != null) { // a return could be matched with either
            message.answer.completeExceptionally(
                    errors.away("has not answered the same message that was sent before.", null));
            return;
        }
        long number = channel.getNextPublishSeqNo();
        pending.put(number, message);
        writingSince = message.since;
        try {
            channel.basicPublish(
                    exchange, message.message.routingKey(), true, message.message.properties(), message.message.body());
        } catch (IOException | RuntimeException e) {
            // The client has counted the message, and the broker may not have: no confirm can be trusted after that.
            end(errors.ofWrite(e, message));
            closeQuietly();
        } finally {
            writingSince = 0;
        }
        Failure failure = ended;
        if (failure != null) {
            end(failure); // it may have ended before the message was among those that failed
        }
    }

    private void closeQuietly() {
        try {
            channel.abort();
        } catch (IOException | RuntimeException e) {
            // it is gone
        }
    }

    @Override
    public void handleAck(long number, boolean multiple) {
        for (Pending confirmed : take(number, multiple)) {
            confirm(confirmed);
        }
    }

    @Override
    public void handleNack(long number, boolean multiple) {
        for (Pending refused : take(number, multiple)) {
            fail(
                    refused,
                    new BrokerUnavailableException("RabbitMQ refused a message to exchange '" + exchange
                            + "' (basic.nack): a queue is full, or could not keep it."));
        }
    }

    private Collection<Pending> take(long number, boolean multiple) {
        if (!multiple) {
            Pending one = pending.remove(number);
            return one == null ? List.of() : List.of(one);
        }
        List<Pending> all = new ArrayList<>();
        for (Long each : pending.headMap(number, true).keySet()) {
            Pending one = pending.remove(each);
            if (one != null) {
                all.add(one);
            }
        }
        return all;
    }

    /** The broker returns a message before it confirms it. */
    @Override
    public void handle(Return returned) {
        Pending message = byId.get(String.valueOf(returned.getProperties().getMessageId()));
        if (message != null) {
            message.returned = returned.getReplyCode() + " " + returned.getReplyText();
        }
    }

    private void confirm(Pending message) {
        String returned = message.returned;
        if (returned == null || unroutable == Unroutable.DROP) {
            byId.remove(message.message.id(), message);
            message.answer.complete(Receipt.taken());
            return;
        }
        String text = "RabbitMQ returned the message: exchange '" + exchange + "' routes it to no queue by key '"
                + message.message.routingKey() + "' (" + returned + ").";
        fail(
                message,
                unroutable == Unroutable.REFUSE
                        ? new PermanentFailureException(text)
                        : new BrokerUnavailableException(text + " Bind a queue."));
    }

    private void fail(Pending message, Exception failure) {
        note(message, failure);
        byId.remove(message.message.id(), message);
        message.answer.completeExceptionally(failure);
    }

    @Override
    public void shutdownCompleted(ShutdownSignalException signal) {
        end(errors.of(signal));
    }

    /** A message that is given up holds up no later one. */
    private void note(Pending message, Exception failure) {
        if (!(failure instanceof PermanentFailureException)) {
            onFailure.accept(message);
        }
    }

    /** Fails everything that is not answered. The first reason counts. */
    void end(Failure failure) {
        Map<Pending, Exception> failed = new LinkedHashMap<>();
        synchronized (this) {
            Failure reason = ended == null ? failure : ended;
            ended = reason;
            List<Pending> left = new ArrayList<>();
            for (Map.Entry<Long, Pending> first = pending.pollFirstEntry();
                    first != null;
                    first = pending.pollFirstEntry()) {
                left.add(first.getValue());
            }
            for (Pending message : left) {
                Exception why = reason.of(message, left.size() == 1);
                note(message, why);
                failed.put(message, why);
            }
        }
        failed.forEach((message, why) -> {
            byId.remove(message.message.id(), message);
            message.answer.completeExceptionally(why);
        });
    }

    /** The same for a lane that is about to open another channel: nothing of this one is left when it returns. */
    void endAsClosed() {
        ShutdownSignalException signal = channel.getCloseReason();
        end(signal == null ? errors.unavailable("has left the channel.", null) : errors.of(signal));
    }

    /** Takes no more messages, and says why those that are not answered will fail. */
    void condemn(Failure reason) {
        synchronized (this) {
            if (ended == null) {
                ended = reason;
            }
        }
    }

    /** Whether a message has waited this long for its confirm, or to be written. */
    boolean isLate(long now, long nanos) {
        Map.Entry<Long, Pending> first = pending.firstEntry();
        long writing = writingSince;
        return first != null && now - first.getValue().since > nanos || writing != 0 && now - writing > nanos;
    }

    /** What is not answered now. */
    List<Pending> pending() {
        return List.copyOf(pending.values());
    }
}
