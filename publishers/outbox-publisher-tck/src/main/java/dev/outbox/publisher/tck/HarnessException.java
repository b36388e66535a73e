package dev.outbox.publisher.tck;

/** The harness does not do what it should. No rule is broken by that. */
final class HarnessException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    HarnessException(String message) {
        super(message);
    }

    HarnessException(String message, Throwable cause) {
        super(message, cause);
    }
}
