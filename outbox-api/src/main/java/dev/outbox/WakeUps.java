package dev.outbox;

/**
 * Tells when messages may have been committed, by any process, so that a relay need not wait for its next poll. Only a
 * hint: calls may be missing or superfluous. Implemented by stores with {@link Capability#WAKE_UP}.
 */
public interface WakeUps {
    /**
     * The wake-ups of a store.
     *
     * @throws ConfigurationException if it does without {@link Capability#WAKE_UP}, with its reason
     */
    static WakeUps of(Store store) {
        return Extension.of(store, Capability.WAKE_UP, WakeUps.class);
    }

    /**
     * Calls the listener soon after a commit, on a thread of the store; it must return quickly and not throw. Closing
     * what is returned, or the store, ends it (OBX-WAKE-1).
     *
     * @throws StoreException if the store failed
     */
    Subscription onWakeUp(Runnable listener);

    /** Ends the calls; closing twice does nothing. */
    interface Subscription extends AutoCloseable {
        @Override
        void close();
    }
}
