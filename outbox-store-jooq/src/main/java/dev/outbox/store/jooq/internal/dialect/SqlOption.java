package dev.outbox.store.jooq.internal.dialect;

import dev.outbox.StoreOption;

/** The options that only some SQL databases have; {@link Dialect#options} says which. */
public final class SqlOption {
    /** All relays and writers use the same node of a cluster. */
    public static final StoreOption<Boolean> ONE_NODE = StoreOption.flag("oneNode");

    /** A partition comes in the order in which it was written. */
    public static final StoreOption<Boolean> STRICT_ORDER = StoreOption.flag("strictOrder");

    private SqlOption() {}
}
