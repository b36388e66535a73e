package dev.outbox;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Says which client holds which partition. It changes nothing, holds nothing, and delays no relay and no writer.
 * Implemented by stores with {@link Capability#HOLDERS}. Safe for use by several threads and while relays run.
 */
public interface Holders {
    /**
     * A partition that an open batch holds.
     *
     * @param owner the client that has the batch, for people to read: a process, a connection, or what else the backend
     *     knows; not blank
     * @param since when it took the partition, by the store's clock; null if the backend does not know
     * @param until when it loses the partition if it does not renew its lease, by the store's clock; null if it holds
     *     the partition for as long as its connection lasts
     */
    record Holder(
            String topic,
            int partition,
            String owner,
            @Nullable Instant since,
            @Nullable Instant until) {}

    /**
     * The holders of a store.
     *
     * @throws ConfigurationException if it does without {@link Capability#HOLDERS}, with its reason
     */
    static Holders of(Store store) {
        return Extension.of(store, Capability.HOLDERS, Holders.class);
    }

    /**
     * Every partition that an open batch holds, ordered by topic and partition (OBX-HOLD-1).
     *
     * @throws MisuseException if the store is closed
     * @throws StoreException if the store failed
     */
    List<Holder> holders();
}
