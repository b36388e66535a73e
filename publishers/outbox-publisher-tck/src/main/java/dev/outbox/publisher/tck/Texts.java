package dev.outbox.publisher.tck;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Collection;

/** What people read of a failure. */
final class Texts {
    private Texts() {}

    /** Looks at a message that must have failed, if it has: the cause has a name, and no secret is in any text. */
    static void require(Answer answer, Collection<String> secrets, String when) throws InterruptedException {
        Throwable failure = answer.failureOrNull();
        if (failure == null) {
            return; // other rules say whether that is right
        }
        String message = failure.getMessage();
        assertTrue(
                message != null && !message.isBlank(),
                () -> "The failure of " + answer.name() + " has no message, " + when + ": " + failure.getClass());
        String all = trace(failure);
        for (String secret : secrets) {
            assertTrue(
                    !all.contains(secret),
                    () -> "The failure of " + answer.name() + ", " + when + ", has a secret in its text: "
                            + all.replace(secret, "(the secret)"));
        }
    }

    /** All texts that a log may have: those of causes and of suppressed exceptions, too. */
    private static String trace(Throwable failure) {
        StringWriter text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text));
        return text.toString();
    }
}
