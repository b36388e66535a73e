package dev.outbox.store.redis;

import dev.outbox.StoreException;
import java.util.List;

/**
 * What became of a transaction. Redis does not throw for all that can go wrong, and rolls back less than databases do:
 * see {@link RedisOutbox}.
 */
public sealed interface TransactionResult {
    /**
     * Every command was carried out.
     *
     * @param results what they returned, in the order in which they were queued
     */
    record Committed(List<Object> results) implements TransactionResult {}

    /**
     * Nothing was written, neither messages nor anything else: a watched key had changed, or the server refused to
     * queue a command. It can be tried again as a whole.
     *
     * @param why in words
     */
    record NothingWritten(String why) implements TransactionResult {}

    /**
     * Some commands failed when the server carried them out; <strong>all others took effect and stay</strong>. Whether
     * the messages are among them, the results tell.
     *
     * @param results what the commands returned, in the order in which they were queued; a {@link
     *     redis.clients.jedis.exceptions.JedisDataException} for those that failed
     * @param why in words
     */
    record PartlyWritten(List<Object> results, String why) implements TransactionResult {}

    /**
     * The answer was lost: either all of it was carried out, or nothing.
     *
     * @param why in words
     * @param cause what happened to the connection
     */
    record Unknown(String why, RuntimeException cause) implements TransactionResult {}

    /**
     * The results, if every command was carried out.
     *
     * @throws StoreException otherwise, which says what happened
     */
    default List<Object> orThrow() {
        if (this instanceof Committed committed) {
            return committed.results();
        }
        if (this instanceof NothingWritten nothing) {
            throw new StoreException("Nothing of the transaction was written: " + nothing.why());
        }
        if (this instanceof PartlyWritten partly) {
            throw new StoreException(
                    "The transaction was written in part, and Redis does not roll back: " + partly.why());
        }
        Unknown unknown = (Unknown) this;
        throw new StoreException(
                "Either all of the transaction was written or nothing: " + unknown.why(), unknown.cause());
    }
}
