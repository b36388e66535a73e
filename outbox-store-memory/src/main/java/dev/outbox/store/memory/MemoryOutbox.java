package dev.outbox.store.memory;

import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.store.memory.internal.MemoryState;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An outbox in the memory of this process, for tests of code that publishes or relays. It keeps the whole contract.
 * Other stores may refuse more than it does, or have no wake-ups: their pages say so. It keeps nothing when its process
 * ends. Safe for use by several threads.
 *
 * <pre>{@code
 * MemoryOutbox outbox = new MemoryOutbox();
 * try (MemoryTransaction tx = outbox.begin()) {
 *     Outbox.bind(orders, MemoryOutbox.persist(tx)).publish(order);
 *     tx.commit();
 * }
 * try (Store store = outbox.store();
 *         Relay relay = Relay.builder(store).topic(orders).build()) {
 *     relay.processMessages(100);
 * }
 * }</pre>
 */
public final class MemoryOutbox {
    private static final Map<String, MemoryOutbox> NAMED = new ConcurrentHashMap<>();

    private final MemoryState state = new MemoryState();

    /** An empty outbox, known to those who are given it. */
    public MemoryOutbox() {}

    /**
     * The outbox that {@code Stores.open("memory:" + name)} opens in this process: always the same for the same name,
     * and empty at first. It stays until the process ends, so a test that wants an empty one takes a name of its own.
     */
    public static MemoryOutbox named(String name) {
        return NAMED.computeIfAbsent(name, n -> new MemoryOutbox());
    }

    /** Writes messages with a transaction, to be bound to a topic by {@link dev.outbox.Outbox#bind}. */
    public static PersistFunc persist(MemoryTransaction transaction) {
        return transaction.persistFunc();
    }

    /**
     * A new transaction. Others see what it wrote when it has been committed, and never if it was rolled back or
     * closed.
     */
    public MemoryTransaction begin() {
        return new MemoryTransaction(state.begin());
    }

    /** A new client, for a relay. Messages that it has checked out are free again when it is closed. */
    public Store store() {
        return state.store();
    }
}
