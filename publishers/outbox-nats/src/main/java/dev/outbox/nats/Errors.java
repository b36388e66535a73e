package dev.outbox.nats;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.PermanentFailureException;
import io.nats.client.JetStreamApiException;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What errors of the client and of the server mean. They are about the server and its set-up, except for those that
 * name the message.
 */
final class Errors {
    /** Of a stream: the message exceeds {@code max_msg_size}. */
    private static final int TOO_LARGE_FOR_THE_STREAM = 10054;

    /** The headers are longer than 65535 bytes. */
    private static final int HEADERS_TOO_LARGE = 10097;

    private static final int NO_SUCH_STREAM = 10059;
    private static final int NO_JETSTREAM = 10076;
    private static final int NO_JETSTREAM_FOR_THE_ACCOUNT = 10039;

    private static final Pattern USER = Pattern.compile("//[^/\\s]*@");

    private final String address;

    /**
     * Speaks of a server.
     *
     * @param address of the server, without secrets
     */
    Errors(String address) {
        this.address = address;
    }

    BrokerUnavailableException away(String what, @Nullable Throwable cause) {
        return new BrokerUnavailableException("NATS at " + address + " " + what, cause);
    }

    /** What a text of the client says, without the user and the password of a URL in it. */
    static String redacted(String text) {
        return USER.matcher(text).replaceAll("//");
    }

    /** The same for an exception. A cause whose text has a secret is left out. */
    static @Nullable Throwable redacted(@Nullable Throwable failure) {
        int depth = 0;
        for (@Nullable Throwable part = failure; part != null && depth < 20; part = part.getCause()) {
            if (USER.matcher(String.valueOf(part.getMessage())).find()) {
                return null;
            }
            depth++;
        }
        return failure;
    }

    /** The client refused a message, or the server did. */
    Exception of(Throwable thrown, String subject) {
        int depth = 0;
        for (@Nullable Throwable part = thrown; part != null && depth < 20; part = part.getCause()) {
            if (part instanceof JetStreamApiException refused) {
                return refusal(refused, subject);
            }
            if (part instanceof IOException) {
                return away(
                        "has not taken a message for subject '" + subject + "': " + redacted(part.toString()), part);
            }
            if (part instanceof CancellationException || part instanceof IllegalStateException) {
                return away("is gone: " + part.getMessage(), part);
            }
            if (part instanceof IllegalArgumentException) {
                return new PermanentFailureException(
                        "The client of NATS refuses the message: " + part.getMessage(), part);
            }
            depth++;
        }
        return away("has given an answer that is none: " + thrown, thrown);
    }

    /** Whether the server says that the set-up lacks something. Anything else may pass, as when it has just started. */
    static boolean isMissing(JetStreamApiException refused) {
        int code = refused.getApiErrorCode();
        return code == NO_SUCH_STREAM || code == NO_JETSTREAM || code == NO_JETSTREAM_FOR_THE_ACCOUNT;
    }

    private Exception refusal(JetStreamApiException refused, String subject) {
        String text = "refused a message for subject '" + subject + "': " + refused.getErrorDescription() + " (error "
                + refused.getApiErrorCode() + ")";
        int code = refused.getApiErrorCode();
        return code == TOO_LARGE_FOR_THE_STREAM || code == HEADERS_TOO_LARGE
                ? new PermanentFailureException("NATS at " + address + " " + text, refused)
                : away(text, refused);
    }
}
