package dev.outbox.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Method;
import com.rabbitmq.client.ShutdownSignalException;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.PermanentFailureException;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What errors of the client and of the broker mean. They are about the broker and its set-up, with one exception: the
 * broker closes a channel with 406 because of a message on it.
 */
final class Errors {
    private static final Pattern TOO_LARGE = Pattern.compile("larger than (?:configured )?max(?:imum)? size (\\d+)");

    private final String address;
    private final long configuredMaxSize;
    private final AtomicLong learnedMaxSize = new AtomicLong(Long.MAX_VALUE);

    /**
     * Speaks of a broker.
     *
     * @param address of the broker, without secrets
     * @param configuredMaxSize in bytes, of a message
     */
    Errors(String address, long configuredMaxSize) {
        this.address = address;
        this.configuredMaxSize = configuredMaxSize;
    }

    /** Refuses a message that is larger than the broker takes, as far as anybody knows. */
    void requireSize(int bytes) {
        long limit = Math.min(configuredMaxSize, learnedMaxSize.get());
        if (bytes > limit) {
            throw tooLarge(bytes, limit);
        }
    }

    /** A new connection, perhaps to a broker with other settings. */
    void forgetMaxSize() {
        learnedMaxSize.set(Long.MAX_VALUE);
    }

    BrokerUnavailableException away(String what, @Nullable Throwable cause) {
        return new BrokerUnavailableException("RabbitMQ at " + address + " " + what, cause);
    }

    private PermanentFailureException tooLarge(int size, long limit) {
        return new PermanentFailureException("The message has " + size + " bytes; RabbitMQ at " + address + " takes "
                + limit + " (max_message_size).");
    }

    Failure unavailable(String what, @Nullable Throwable cause) {
        return (message, alone) -> away(what, cause);
    }

    /** A channel or its connection was closed, by whatever side. */
    Failure of(ShutdownSignalException signal) {
        String text = textOf(signal);
        if (codeOf(signal) != AMQP.PRECONDITION_FAILED) {
            return unavailable(text, signal);
        }
        Matcher limit = TOO_LARGE.matcher(text);
        if (limit.find()) {
            long bytes = Long.parseLong(limit.group(1));
            learnedMaxSize.set(bytes);
            return (message, alone) -> message.message.body().length > bytes
                    ? tooLarge(message.message.body().length, bytes)
                    : away("lost the message when another one on its channel was refused: it " + text, signal);
        }
        // The broker does not say which message it means. Each is tried again by its own schedule until it is alone.
        return (message, alone) -> alone
                ? new PermanentFailureException("RabbitMQ at " + address + " refused the message: it " + text, signal)
                : new IOException("RabbitMQ at " + address + " refused one of several messages: it " + text, signal);
    }

    /** The client could not send a message. */
    Failure ofWrite(Exception thrown, Pending culprit) {
        if (thrown instanceof ShutdownSignalException signal) { // AlreadyClosedException is one
            return of(signal);
        }
        if (thrown instanceof IllegalArgumentException) {
            return (message, alone) -> message == culprit
                    ? new PermanentFailureException("The client of RabbitMQ refused the message: " + thrown, thrown)
                    : away("was left because the client could not write another message", thrown);
        }
        return unavailable("cannot be written to: " + thrown, thrown);
    }

    /** What the other side said when it closed a channel or a connection. */
    static String textOf(ShutdownSignalException signal) {
        Method reason = signal.getReason();
        if (reason instanceof AMQP.Channel.Close close) {
            return "closed the channel: " + close.getReplyCode() + " " + close.getReplyText();
        }
        if (reason instanceof AMQP.Connection.Close close) {
            return "closed the connection: " + close.getReplyCode() + " " + close.getReplyText();
        }
        Throwable cause = signal.getCause();
        return "is gone: " + (cause == null ? signal.getMessage() : cause.toString());
    }

    static int codeOf(ShutdownSignalException signal) {
        Method reason = signal.getReason();
        if (reason instanceof AMQP.Channel.Close close) {
            return close.getReplyCode();
        }
        return reason instanceof AMQP.Connection.Close close ? close.getReplyCode() : 0;
    }

    /** Whether the broker has said that something is not there, or not allowed. */
    static boolean isRefusal(ShutdownSignalException signal) {
        int code = codeOf(signal);
        return code == AMQP.NOT_FOUND || code == AMQP.ACCESS_REFUSED || code == AMQP.NOT_ALLOWED;
    }

    /** The signal that an exception of the client was made from, if it was. */
    static @Nullable ShutdownSignalException signalIn(Throwable thrown) {
        Throwable cause = thrown;
        for (int depth = 0; cause != null && depth < 10; depth++) {
            if (cause instanceof ShutdownSignalException signal) {
                return signal;
            }
            cause = cause.getCause();
        }
        return null;
    }
}
