package dev.outbox.examples.quickstart;

/** What the payment provider says when everything was written already. */
final class PaymentDeclined extends RuntimeException {
    private static final long serialVersionUID = 1L;
}
