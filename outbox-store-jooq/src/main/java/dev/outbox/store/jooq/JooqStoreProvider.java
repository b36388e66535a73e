package dev.outbox.store.jooq;

import com.google.auto.service.AutoService;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.StoreProvider;
import dev.outbox.store.jooq.internal.StoreOpener;
import dev.outbox.store.jooq.internal.dialect.Dialects;

/**
 * Opens {@code jdbc:} URLs with a pool of its own. Public for {@link java.util.ServiceLoader} alone: call {@link
 * dev.outbox.Stores#open}.
 *
 * <p>Options: those of {@link JdbcOutbox#store}; {@link StoreOptions#USER} and {@link StoreOptions#PASSWORD}, in place
 * of those in the URL. The pool opens connections as they are needed: one for each open batch, and a few more.
 */
@SuppressWarnings("exports") // the annotation is gone in the class file
@AutoService(StoreProvider.class)
public final class JooqStoreProvider implements StoreProvider {
    /** For {@link java.util.ServiceLoader}. */
    public JooqStoreProvider() {}

    @Override
    public boolean accepts(String url) {
        return url.startsWith("jdbc:");
    }

    @Override
    public Store open(String url, StoreOptions options) {
        return StoreOpener.store(url, options);
    }

    @Override
    public String description() {
        return "outbox-store-jooq: " + Dialects.supported();
    }
}
