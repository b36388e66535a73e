package dev.outbox.tck.internal.spec;

/**
 * How hard the suite tests a store. Each level tests the same rules under harder conditions. A store is conformant at a
 * level if it keeps every rule at that level and at all levels below.
 */
public enum Level {
    /** L1: each rule alone, with a few clients in one process. */
    CONTRACT(1, "one process, nothing goes wrong"),
    /** L2: many threads of several clients at the same time. */
    CONCURRENCY(2, "many threads and clients"),
    /** L3: several processes, which are killed and paused. */
    CRASH(3, "processes killed and paused"),
    /** L4: the network between store and server fails. */
    NETWORK(4, "the network fails"),
    /** L5: the server is killed and started again. */
    SERVER(5, "the server dies"),
    /** L6: a copy that may lack the last writes takes the place of the server. */
    FAILOVER(6, "the server fails over");

    private final int number;
    private final String meaning;

    Level(int number, String meaning) {
        this.number = number;
        this.meaning = meaning;
    }

    /** The number of the level, from 1 to 6. */
    public int number() {
        return number;
    }

    /** The conditions of this level, in a few words. */
    public String meaning() {
        return meaning;
    }

    /** The short name of the level, such as {@code L3}. */
    public String label() {
        return "L" + number;
    }
}
