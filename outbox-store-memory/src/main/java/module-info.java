import org.jspecify.annotations.NullMarked;

/** The outbox in memory, for tests of what uses an outbox: see {@link dev.outbox.store.memory.MemoryOutbox}. */
@NullMarked
module dev.outbox.store.memory {
    exports dev.outbox.store.memory;

    requires transitive dev.outbox;
    requires static com.google.auto.service;
    requires static transitive org.jspecify;

    provides dev.outbox.StoreProvider with
            dev.outbox.store.memory.MemoryStoreProvider;
}
