package dev.outbox;

import java.util.ArrayList;
import java.util.List;

/**
 * Writes a message into the outbox within a transaction of the application. Every backend makes one from its native
 * transaction handle; {@link Outbox#bind} turns it into a publisher.
 */
@FunctionalInterface
public interface PersistFunc {
    /**
     * Writes the message; it exists when, and only when, the transaction commits (OBX-TX-1).
     *
     * @return the id of the message: unique in the store, the same on every delivery, fit for consumers to
     *     recognise duplicates by (OBX-ID-1)
     * @throws MessageRejectedException if this store cannot keep the message as it is
     * @throws MisuseException if the handle is not in a transaction
     * @throws StoreException if writing failed; the transaction should be rolled back
     */
    String persist(OutgoingMessage message);

    /**
     * Writes messages as {@link #persist} would one after the other, in the order given, but with as few round trips as the
     * backend can. By default it persists one after the other.
     *
     * @return the id of each message, in the same order; for an empty list none
     * @throws MessageRejectedException if this store cannot keep one of them as it is; others may have been written, so the
     *     transaction should be rolled back
     * @throws MisuseException if the handle is not in a transaction
     * @throws StoreException if writing failed; the transaction should be rolled back
     */
    default List<String> persistAll(List<OutgoingMessage> messages) {
        List<String> ids = new ArrayList<>(messages.size());
        for (OutgoingMessage message : messages) {
            ids.add(persist(message));
        }
        return ids;
    }
}
