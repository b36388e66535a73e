package dev.outbox.tck.explore;

import org.jspecify.annotations.Nullable;

/**
 * Something went wrong that a slow machine, a server or a network can cause. It says nothing about the store, unless it
 * happens again whenever the sequence is run.
 */
final class Inconclusive extends Exception {
    private static final long serialVersionUID = 1L;

    private final String rule;
    private final boolean surroundings;

    private Inconclusive(String rule, boolean surroundings, String what, @Nullable Throwable cause) {
        super(what, cause);
        this.rule = rule;
        this.surroundings = surroundings;
    }

    /** A call failed, or did not return. If it does so every time, this rule is broken. */
    static Inconclusive failed(String rule, String what, @Nullable Throwable cause) {
        return new Inconclusive(rule, false, what, cause);
    }

    /** Nothing follows from it, however often it happens. */
    static Inconclusive surroundings(String what) {
        return new Inconclusive("", true, what, null);
    }

    String rule() {
        return rule;
    }

    boolean isSurroundings() {
        return surroundings;
    }
}
