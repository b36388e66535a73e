package dev.outbox;

/** An interface that a store with a capability implements, in addition to {@link Store}. */
final class Extension {
    private Extension() {}

    /**
     * The store, as that interface.
     *
     * @throws ConfigurationException if the store does without the capability, with its reason
     */
    static <C> C of(Store store, Capability capability, Class<C> type) {
        String reason = store.capabilities().reasonWithout(capability);
        if (reason != null) {
            throw new ConfigurationException(
                    "This store has no " + capability + ": " + reason + ". So " + capability.loss() + ".");
        }
        if (!type.isInstance(store)) {
            throw new ConfigurationException("This store declares " + capability + " but "
                    + store.getClass().getName()
                    + " does not implement " + type.getName() + ". A store that does without a capability says so:"
                    + " Capabilities.all().without(Capability." + capability + ", reason).");
        }
        return type.cast(store);
    }
}
