package dev.outbox.tck.internal.report;

/** What is known about a rule, or a test of one, after a run; the worse, the later. */
public enum Status {
    /** It was seen to be kept. */
    PASS("pass"),
    /** The store declares that it does without, and refuses as specified. */
    REFUSED("refused as declared"),
    /** Nobody looked. */
    NOT_RUN("not run"),
    /** The store's own test replaces the kit's. */
    OVERRIDDEN("overridden"),
    /** The surroundings failed, so that nothing can be said. */
    INCONCLUSIVE("inconclusive"),
    /** It was seen to be broken. */
    FAIL("fail");

    private final String text;

    Status(String text) {
        this.text = text;
    }

    /** As the report says it. */
    public String text() {
        return text;
    }

    public boolean good() {
        return this == PASS || this == REFUSED;
    }

    /** The worse of two. */
    public Status and(Status other) {
        return compareTo(other) >= 0 ? this : other;
    }
}
