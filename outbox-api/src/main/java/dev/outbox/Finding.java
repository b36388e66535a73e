package dev.outbox;

import java.util.Optional;

/**
 * Finds a message that waits by its id. It changes nothing, holds nothing, and delays no relay and no writer.
 * Implemented by stores with {@link Capability#FINDING}. Safe for use by several threads and while relays run.
 */
public interface Finding {
    /**
     * Finds messages of a store.
     *
     * @throws ConfigurationException if it does without {@link Capability#FINDING}, with its reason
     */
    static Finding of(Store store) {
        return Extension.of(store, Capability.FINDING, Finding.class);
    }

    /**
     * The message of an id, if it waits: also in an open batch, and also for its next attempt (OBX-FIND-1). A message
     * that is not found was published or removed, or its transaction has not committed, or it is a dead letter, which
     * {@link Operations#deadLetter} finds.
     *
     * @param id any text; one that is no message's finds nothing
     * @throws MisuseException if the store is closed
     * @throws StoreException if the store failed
     */
    Optional<PendingMessage> pending(String id);
}
