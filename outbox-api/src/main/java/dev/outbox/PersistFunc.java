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
     * Writes the message; it exists when, and only when, the transaction commits (OBX-TX-1). It keeps the id that the
     * message has, on every delivery, as a dead letter and after it was redriven.
     *
     * <p>Persisting one {@code OutgoingMessage} twice is a mistake: the store may refuse it, or keep two messages that
     * consumers take for one (OBX-ID-2).
     *
     * @return {@link OutgoingMessage#id} of the message, which consumers recognise duplicates by (OBX-ID-1)
     * @throws MessageRejectedException if this store cannot keep the message as it is
     * @throws MisuseException if the handle is not in a transaction
     * @throws StoreException if writing failed; the transaction should be rolled back
     */
    String persist(OutgoingMessage message);

    /**
     * Writes messages as {@link #persist} would one after the other, in the order given, but with as few round trips as
     * the backend can. By default it persists one after the other.
     *
     * @return the id of each message, in the same order; for an empty list none
     * @throws MessageRejectedException if this store cannot keep one of them as it is; others may have been written, so
     *     the transaction should be rolled back
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
