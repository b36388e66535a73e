package dev.outbox.store.jooq;

/** The names of the options that only this store has. */
final class OptionNames {
    /** How the tables are called. */
    static final String TABLES = "tables";

    /** All relays and writers use the same node of a cluster. */
    static final String ONE_NODE = "oneNode";

    /** A partition comes in the order in which it was written. */
    static final String STRICT_ORDER = "strictOrder";

    /** The store listens for notifications. */
    static final String WAKE_UP = "wakeUp";

    private OptionNames() {}
}
