package dev.outbox.examples.quickstart;

import dev.outbox.spi.Redacted;
import java.util.regex.Pattern;

/** Ends the run with one clear line instead of a stack trace. */
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The run began, and something broke that should not have. */
    static final int BROKEN = 1;

    /** The caller can repair it: an argument, a file, a URL. */
    static final int USAGE = 2;

    private static final Pattern USER = Pattern.compile("//[^/\\s]*@");

    private final int exitCode;

    private Failure(int exitCode, String message, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    private Failure(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    static Failure usage(String message) {
        return new Failure(USAGE, message);
    }

    static Failure broken(String message) {
        return new Failure(BROKEN, message);
    }

    static Failure broken(String message, Throwable cause) {
        return new Failure(BROKEN, message, cause);
    }

    /** What an exception of a client says, which may repeat the address, without a user and a password. */
    static String textOf(Exception thrown, String address) {
        String text = thrown.toString().replace(address, Redacted.url(address));
        text = USER.matcher(text).replaceAll("//");
        return text.indexOf('@') < 0 ? text : thrown.getClass().getName(); // a part of a password, perhaps
    }

    int exitCode() {
        return exitCode;
    }
}
