package dev.outbox.sqs;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.PermanentFailureException;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sqs.model.InvalidMessageContentsException;
import software.amazon.awssdk.services.sqs.model.QueueDoesNotExistException;

/**
 * What errors of the SDK and of SQS mean. They are about SQS and its set-up, except for those that name the message.
 */
final class Errors {
    private static final int LONGEST_TEXT = 400;
    private static final int TOO_LARGE = 413;

    /** Of the client that asks: who it is, or what it may do. */
    private static final Set<String> DENIED = Set.of(
            "AccessDenied",
            "AccessDeniedException",
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSecurity",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "NotAuthorized",
            "OptInRequired",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException");

    private static final String WRONG_ADDRESS = "InvalidAddress";

    /** Of the queue, of the clock of this machine, or of a limit: every message would fail. */
    private static final Set<String> OF_THE_SET_UP =
            Set.of(WRONG_ADDRESS, "OverLimit", "RequestExpired", "UnsupportedOperation");

    /** SQS sends some codes with it in the header {@code x-amzn-query-error}, which the SDK prefers to the body. */
    private static final String PREFIX = "AWS.SimpleQueueService.";

    /** SQS repeats what was signed if a signature is wrong, with the token of a session. */
    private static final Pattern SIGNED = Pattern.compile("(?i)canonical string|string-to-sign|security-token");

    private static final Pattern TOO_LONG = Pattern.compile("(?i)MessageTooLong|must be shorter than");

    private final String queue;

    /**
     * Speaks of a queue.
     *
     * @param queue its name or its URL, without secrets
     */
    Errors(String queue) {
        this.queue = queue;
    }

    BrokerUnavailableException away(String what, @Nullable Throwable cause) {
        return new BrokerUnavailableException("SQS queue " + queue + " " + what, cause);
    }

    PermanentFailureException tooLarge(long size, long limit) {
        return new PermanentFailureException("The message has " + size + " bytes with its attributes; SQS queue "
                + queue + " takes " + limit + " (MaximumMessageSize). Bytes that are no text grow by a third.");
    }

    /** The exception to fail a message with. */
    Exception of(Throwable thrown) {
        Throwable cause = unwrapped(thrown);
        if (cause instanceof AwsServiceException refused) {
            return refusal(refused);
        }
        if (cause instanceof CancellationException) {
            return away("has not answered before its publisher was closed.", null);
        }
        if (cause instanceof SdkException || cause instanceof IllegalStateException) { // the client was closed
            return away("has not answered: " + text(cause), withoutSecrets(cause));
        }
        return cause instanceof Exception failure
                ? failure
                : new IOException("The client of SQS failed: " + cause, cause);
    }

    private Exception refusal(AwsServiceException refused) {
        String text = text(refused);
        if (refused instanceof InvalidMessageContentsException
                || refused.statusCode() == TOO_LARGE
                || TOO_LONG.matcher(text).find()) {
            return new PermanentFailureException(
                    "SQS queue " + queue + " refuses the message: " + text, withoutSecrets(refused));
        }
        if (isOfTheSetUp(refused)) {
            return away("takes no messages: " + text, withoutSecrets(refused));
        }
        return new IOException("SQS queue " + queue + " refuses the message: " + text, withoutSecrets(refused));
    }

    private static boolean isOfTheSetUp(AwsServiceException refused) {
        String code = code(refused);
        return refused.statusCode() >= 500
                || refused.isThrottlingException()
                || refused.isClockSkewException()
                || isMissing(refused)
                || isDenied(refused)
                || code.startsWith("Kms")
                || code.contains("KMS.")
                || OF_THE_SET_UP.contains(code);
    }

    /** Whether SQS says that there is no such queue. */
    static boolean isMissing(Throwable thrown) {
        return thrown instanceof QueueDoesNotExistException;
    }

    /** Whether SQS says that the URL of the queue is wrong, for example of another region. */
    static boolean isWrongAddress(Throwable thrown) {
        return thrown instanceof AwsServiceException refused && code(refused).equals(WRONG_ADDRESS);
    }

    /** Whether SQS says that the publisher may not do this, or there are no credentials to ask with. */
    static boolean isDenied(Throwable thrown) {
        if (thrown instanceof AwsServiceException refused) {
            return refused.statusCode() == 401 || refused.statusCode() == 403 || DENIED.contains(code(refused));
        }
        return thrown instanceof SdkException && text(thrown).startsWith("Unable to load credentials");
    }

    private static String code(AwsServiceException refused) {
        AwsErrorDetails details = refused.awsErrorDetails();
        String code = details == null ? null : details.errorCode();
        if (code == null) {
            return "";
        }
        String name = code.substring(code.lastIndexOf('#') + 1);
        return name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
    }

    /** Its first line, which has no secret; of the SDK itself the first sentence, because advice follows. */
    static String text(Throwable thrown) {
        String text = thrown.getMessage();
        if (text != null && thrown instanceof SdkClientException) {
            text = text.split("\\.\\s", 2)[0];
        }
        if (thrown instanceof AwsServiceException refused && refused.awsErrorDetails() != null) {
            text = refused.awsErrorDetails().errorMessage() + " (" + code(refused) + ", status " + refused.statusCode()
                    + ")";
            if (text.indexOf('\n') >= 0) {
                text = text.lines().findFirst().orElse("") + " (" + code(refused) + ")";
            }
        }
        String line =
                text == null ? thrown.toString() : text.lines().findFirst().orElse("");
        return line.length() <= LONGEST_TEXT ? line : line.substring(0, LONGEST_TEXT) + "…";
    }

    /** The exception, or null if a text of it or of a cause has what was signed. */
    static @Nullable Throwable withoutSecrets(Throwable thrown) {
        int depth = 0;
        for (@Nullable Throwable part = thrown; part != null && depth < 20; part = part.getCause()) {
            if (SIGNED.matcher(String.valueOf(part.getMessage())).find()) {
                return null;
            }
            depth++;
        }
        return thrown;
    }

    static Throwable unwrapped(Throwable thrown) {
        Throwable cause = thrown;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }
}
