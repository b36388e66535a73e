package dev.outbox.store.memory;

import com.google.auto.service.AutoService;
import dev.outbox.ConfigurationException;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.StoreProvider;

/**
 * Opens {@code memory:NAME}, which is {@link MemoryOutbox#named}. Public for {@link java.util.ServiceLoader} alone:
 * call {@link dev.outbox.Stores#open}.
 *
 * <p>User, password and createSchema are allowed, so that a test need not take the options of the store in
 * production away. They have no effect.
 */
@SuppressWarnings("exports") // the annotation is gone in the class file
@AutoService(StoreProvider.class)
public final class MemoryStoreProvider implements StoreProvider {
    private static final String SCHEME = "memory:";

    /** For {@link java.util.ServiceLoader}. */
    public MemoryStoreProvider() {}

    @Override
    public boolean accepts(String url) {
        return url.startsWith(SCHEME);
    }

    @Override
    public Store open(String url, StoreOptions options) {
        options.requireKnown(StoreOptions.USER, StoreOptions.PASSWORD, StoreOptions.CREATE_SCHEMA);
        String name = url.substring(SCHEME.length());
        if (name.isEmpty() || name.startsWith("/")) {
            throw new ConfigurationException("The URL of an outbox in memory is '" + url
                    + "'; expected memory:NAME, where NAME is that of MemoryOutbox.named.");
        }
        return MemoryOutbox.named(name).store();
    }

    @Override
    public String description() {
        return "outbox-store-memory: the memory of this process (memory:NAME)";
    }
}
