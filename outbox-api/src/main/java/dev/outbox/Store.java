package dev.outbox;

import java.util.Set;

/**
 * Where committed messages wait until a relay has published them. Implemented by storage backends, used by relays;
 * {@link Stores#open} finds one by its URL.
 *
 * <p>Safe for use by several threads. Every method is part of the contract of {@code docs/SPEC.md}, so none has a
 * default implementation; the TCK checks an implementation against it.
 */
public interface Store extends AutoCloseable {
    /**
     * Takes messages of the given topics for publishing. Only messages whose transaction has committed are seen
     * (OBX-TX-2). While the returned batch is open, no other batch of any process gets one of its messages (OBX-EXCL-1)
     * nor, with {@link Capability#PARTITION_EXCLUSIVITY}, any message of their partitions (OBX-ORDER-3).
     *
     * <p>Within a partition the batch has the oldest messages, in the order of their positions (OBX-ORDER-1); a message
     * whose transaction committed late, after later ones, may come a little later but is never passed over (OBX-TX-4).
     * A partition whose head has failed is left alone until its delay has passed (OBX-RETRY-2). The limit is shared out
     * among the partitions that are ready, so that none is starved (OBX-LIMIT-2). Does not wait for messages or for
     * other batches.
     *
     * @param topics the topics wanted, at least one; others are never returned (OBX-FILTER-1)
     * @param limit the most messages wanted, at least 1 (OBX-LIMIT-1)
     * @return a batch, which is empty if there is nothing to do; never null; to be closed by the caller in any case
     * @throws StoreException if the store failed; then nothing is held
     * @throws MisuseException if topics is empty, limit is below 1, or the store is closed
     */
    MessageBatch checkout(Set<String> topics, int limit);

    /** What this store can do beyond the contract; the same answer for as long as it is open. */
    Capabilities capabilities();

    /**
     * Gives back every resource the store itself opened. Open batches lose their hold and their messages come again.
     * Closing twice does nothing (OBX-LIFE-1).
     */
    @Override
    void close();
}
