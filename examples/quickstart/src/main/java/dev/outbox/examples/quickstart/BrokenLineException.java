package dev.outbox.examples.quickstart;

/** A line that is no order; the message says what was there and what was expected. */
final class BrokenLineException extends Exception {
    private static final long serialVersionUID = 1L;

    BrokenLineException(String message) {
        super(message);
    }
}
