package dev.outbox.tck.internal.explore;

/** A store did what the contract does not allow. */
final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String rule;
    private final boolean missing;

    Violation(String rule, String observed) {
        this(rule, observed, false);
    }

    private Violation(String rule, String observed, boolean missing) {
        super(observed);
        this.rule = rule;
        this.missing = missing;
    }

    /** A message was not there that had to be. */
    static Violation missing(String rule, String observed) {
        return new Violation(rule, observed, true);
    }

    /**
     * Whether something was missing. A server that locks something for itself can cause this once. Nothing outside of
     * the store can bring a message that must not come.
     */
    boolean isMissing() {
        return missing;
    }

    /** The rule that is broken. */
    String rule() {
        return rule;
    }
}
