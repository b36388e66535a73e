package dev.outbox.examples.quickstart;

import java.util.List;

/**
 * The application: takes orders, each in a transaction of its own, and tells the topic of them. Orders of earlier runs
 * stay in its database, under another run. Safe for use by several threads.
 */
interface Shop extends AutoCloseable {
    /**
     * Takes an order: what is written of it and its message commit together, or not at all.
     *
     * @return whether it committed; a declined payment rolls it back
     */
    boolean take(OrderLine line);

    /** The orders of this run, those of each customer in the order of their commits. */
    List<Committed> committed();

    /** What an order is in this database, as in "rows of table …". */
    String orders();

    @Override
    void close();
}
