package dev.outbox.tck.internal.record;

/** A test of one rule found another one broken. */
public final class RuleViolation extends AssertionError {
    private static final long serialVersionUID = 1L;

    private final String rule;
    private final boolean sure;

    public RuleViolation(String rule, String observed) {
        this(rule, observed, false);
    }

    private RuleViolation(String rule, String observed, boolean sure) {
        super(observed);
        this.rule = rule;
        this.sure = sure;
    }

    /** As a test found that has made sure itself that its machine had nothing to do with it. */
    public static RuleViolation surely(String rule, String observed) {
        return new RuleViolation(rule, observed, true);
    }

    public boolean isSure() {
        return sure;
    }

    public String rule() {
        return rule;
    }
}
