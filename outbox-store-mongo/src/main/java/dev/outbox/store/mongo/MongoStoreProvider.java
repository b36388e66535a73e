package dev.outbox.store.mongo;

import com.google.auto.service.AutoService;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.StoreProvider;

/**
 * Opens {@code mongodb:} and {@code mongodb+srv:} URLs, with a client of its own. The URL must name a database. This
 * class is public only for {@link java.util.ServiceLoader}: call {@link dev.outbox.Stores#open}.
 *
 * <p>Options: those of {@link MongoOutbox#store}; {@link StoreOptions#USER} and {@link StoreOptions#PASSWORD}, which
 * replace those in the URL. The store opens connections as it needs them, up to {@code maxPoolSize} of the URL if there
 * is one, but at least five.
 */
@SuppressWarnings("exports") // the annotation is gone in the class file
@AutoService(StoreProvider.class)
public final class MongoStoreProvider implements StoreProvider {
    /** For {@link java.util.ServiceLoader}. */
    public MongoStoreProvider() {}

    @Override
    public boolean accepts(String url) {
        return url.startsWith("mongodb://") || url.startsWith("mongodb+srv://");
    }

    @Override
    public Store open(String url, StoreOptions options) {
        return StoreOpener.store(url, options);
    }

    @Override
    public String description() {
        return "outbox-store-mongo: MongoDB from 5.0 on (mongodb://, mongodb+srv://)";
    }
}
