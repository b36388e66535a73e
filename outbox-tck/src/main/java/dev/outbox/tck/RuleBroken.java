package dev.outbox.tck;

/** A test of one rule found another one broken. */
final class RuleBroken extends AssertionError {
    private static final long serialVersionUID = 1L;

    private final String rule;
    private final boolean sure;

    RuleBroken(String rule, String observed) {
        this(rule, observed, false);
    }

    private RuleBroken(String rule, String observed, boolean sure) {
        super(observed);
        this.rule = rule;
        this.sure = sure;
    }

    /** As a test found that has made sure itself that its machine had nothing to do with it. */
    static RuleBroken surely(String rule, String observed) {
        return new RuleBroken(rule, observed, true);
    }

    boolean isSure() {
        return sure;
    }

    String rule() {
        return rule;
    }
}
