package dev.outbox.tck.internal.explore;

import org.jspecify.annotations.Nullable;

/**
 * Something went wrong that a slow machine, a server or a network can cause. It says nothing about the store, unless it
 * happens again whenever the sequence is run.
 */
final class Unproven extends Exception {
    private static final long serialVersionUID = 1L;

    private final String rule;
    private final boolean surroundings;

    private Unproven(String rule, boolean surroundings, String what, @Nullable Throwable cause) {
        super(what, cause);
        this.rule = rule;
        this.surroundings = surroundings;
    }

    /** A call failed, or did not return. If it does so every time, this rule is broken. */
    static Unproven failed(String rule, String what, @Nullable Throwable cause) {
        return new Unproven(rule, false, what, cause);
    }

    /** Nothing follows from it, however often it happens. */
    static Unproven surroundings(String what) {
        return new Unproven("", true, what, null);
    }

    String rule() {
        return rule;
    }

    boolean isSurroundings() {
        return surroundings;
    }
}
