package dev.outbox.tck;

/**
 * How hard the suite is on a store: each level keeps the same rules under more. A store is conformant at a level if it
 * keeps every rule at that level and at all below it.
 */
public enum Level {
    /** L1: every rule by itself, by a few clients of one process. */
    CONTRACT(1, "one process, nothing goes wrong"),
    /** L2: many threads of several clients at a time. */
    CONCURRENCY(2, "many threads and clients"),
    /** L3: several processes, which are killed and paused. */
    CRASH(3, "processes killed and paused"),
    /** L4: the network between store and server fails. */
    NETWORK(4, "the network fails");

    private final int number;
    private final String meaning;

    Level(int number, String meaning) {
        this.number = number;
        this.meaning = meaning;
    }

    /** 1 to 4. */
    public int number() {
        return number;
    }

    /** What happens to a store at this level, in a few words. */
    public String meaning() {
        return meaning;
    }

    /** As in {@code L3}. */
    public String label() {
        return "L" + number;
    }
}
