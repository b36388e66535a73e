package dev.outbox.examples.quickstart;

/** Ends the run with one clear line instead of a stack trace. */
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The run began, and something broke that should not have. */
    static final int BROKEN = 1;

    /** The caller can repair it: an argument, a file, a URL. */
    static final int USAGE = 2;

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

    int exitCode() {
        return exitCode;
    }
}
