package dev.outbox.tck;

/** A test of one rule found another one broken. */
final class RuleBroken extends AssertionError {
    private static final long serialVersionUID = 1L;

    private final String rule;

    RuleBroken(String rule, String observed) {
        super(observed);
        this.rule = rule;
    }

    String rule() {
        return rule;
    }
}
