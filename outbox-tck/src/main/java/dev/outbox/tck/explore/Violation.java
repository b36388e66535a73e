package dev.outbox.tck.explore;

/** A store did what the contract does not allow. */
final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String rule;

    Violation(String rule, String observed) {
        super(observed);
        this.rule = rule;
    }

    /** The rule that is broken. */
    String rule() {
        return rule;
    }
}
