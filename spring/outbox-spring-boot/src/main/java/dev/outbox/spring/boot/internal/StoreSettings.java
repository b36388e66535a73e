package dev.outbox.spring.boot.internal;

import dev.outbox.StoreOptions;

/** The options of a store that are set in the configuration. */
final class StoreSettings {
    private StoreSettings() {}

    /** All but the prefix, which the entry points of the stores take. */
    static StoreOptions options(OutboxProperties.Store store) {
        StoreOptions options = StoreOptions.of(store.options());
        if (store.createSchema() != null) {
            options = options.withCreateSchema(store.createSchema());
        }
        if (store.wakeUp() != null) {
            options = options.withWakeUp(store.wakeUp());
        }
        return options;
    }
}
