package dev.outbox.store.jooq.internal.dialect;

/** The names of the options that only this store has. */
public final class OptionNames {
    /** How the tables are called. */
    public static final String TABLES = "tables";

    /** All relays and writers use the same node of a cluster. */
    public static final String ONE_NODE = "oneNode";

    /** A partition comes in the order in which it was written. */
    public static final String STRICT_ORDER = "strictOrder";

    /** The store listens for notifications. */
    public static final String WAKE_UP = "wakeUp";

    private OptionNames() {}
}
