package dev.outbox.tck.runner;

/** What the process ends with. */
final class ExitCode {
    /** Everything that was asked for was run and kept. */
    static final int CONFORMANT = 0;

    /** At least one rule is broken. */
    static final int VIOLATIONS = 1;

    /** Nothing can be said: not everything that was asked for could be run. */
    static final int COULD_NOT_RUN = 2;

    /** No rule was seen to be broken, but a test could not tell, because its surroundings failed. */
    static final int INCONCLUSIVE = 3;

    private ExitCode() {}
}
