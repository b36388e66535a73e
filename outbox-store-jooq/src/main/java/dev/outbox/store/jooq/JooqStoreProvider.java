package dev.outbox.store.jooq;

import com.google.auto.service.AutoService;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.StoreProvider;
import dev.outbox.store.jooq.internal.StoreOpener;
import dev.outbox.store.jooq.internal.dialect.Dialects;

/**
 * Opens {@code jdbc:} URLs with a pool of its own. Public for {@link java.util.ServiceLoader} alone: call {@link dev.outbox.Stores#open}.
 *
 * <p>Options: {@code user} and {@code password}, in place of those in the URL; {@code workers}, which is how many batches
 * may be open at a time, by default {@value StoreOptions#DEFAULT_WORKERS}, with two connections more than that; {@code
 * createSchema}, to make the tables or upgrade them, by default true for H2 and false for all others; {@value JdbcOutbox#TABLES}, the names of the tables as {@link JdbcOutbox#named} takes them.
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
