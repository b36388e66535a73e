package dev.outbox;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Lists the messages that wait, page by page, for a console or a command line. It changes nothing, holds nothing, and
 * delays no relay and no writer. Implemented by stores with {@link Capability#BROWSING}. Safe for use by several
 * threads and while relays run.
 */
public interface Browsing {
    /**
     * Some messages in their order.
     *
     * @param messages the messages; unmodifiable, maybe empty
     * @param next where the next page begins: a text to give to {@link #pending}, which has no meaning for anyone else;
     *     null if there was no other message
     */
    record Page(List<PendingMessage> messages, @Nullable String next) {}

    /**
     * Lists messages of a store.
     *
     * @throws ConfigurationException if it does without {@link Capability#BROWSING}, with its reason
     */
    static Browsing of(Store store) {
        return Extension.of(store, Capability.BROWSING, Browsing.class);
    }

    /**
     * A page of the messages of a topic that wait, ordered by partition, and within a partition by position. Messages
     * of open batches and messages that wait for their next attempt are among them. Dead letters are not, and neither
     * are messages of transactions that have not committed (OBX-BROWSE-1).
     *
     * <p>Messages may come and go between two pages. A message that waited in its place all the time is on exactly one
     * page (OBX-BROWSE-2).
     *
     * @param topic the topic; one that has no messages has an empty page
     * @param partition the only partition wanted, or null for all of the topic
     * @param after {@link Page#next} of the page before, asked with the same topic and partition; null for the first
     *     page
     * @param limit the most messages wanted, at least 1. A page has fewer if they are large: its payloads have at most
     *     16 MiB, without its last message (OBX-BROWSE-2). It has one message at least, unless there is none
     * @throws MisuseException if limit is below 1, {@code after} is no text that a page had, or the store is closed
     * @throws StoreException if the store failed
     */
    Page pending(String topic, @Nullable Integer partition, @Nullable String after, int limit);
}
