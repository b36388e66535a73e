package dev.outbox.store.redis;

import com.google.auto.service.AutoService;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.StoreProvider;

/**
 * Opens {@code redis:} and {@code rediss:} URLs with a client of its own. Public for {@link java.util.ServiceLoader}
 * alone: call {@link dev.outbox.Stores#open}.
 *
 * <p>URLs: {@code redis://user:password@host:6379/0}, all of it but the host optional; {@code rediss://} with TLS;
 * several hosts of a cluster, {@code redis://host1:6379,host2:6379}, or one and {@code ?cluster=true}; sentinels,
 * {@code redis://host1:26379,host2:26379/0?sentinel=name} with the name of the master. What is special in a URL is
 * escaped with {@code %}.
 *
 * <p>Options:
 *
 * <ul>
 *   <li>those of {@link RedisOutbox#store};
 *   <li>{@link StoreOptions#USER} and {@link StoreOptions#PASSWORD}, which replace those in the URL; {@link
 *       RedisOutbox#SENTINEL_USER} and {@link RedisOutbox#SENTINEL_PASSWORD}, if the URL names sentinels.
 * </ul>
 *
 * <p>The store opens connections as it needs them, and ends those that were idle for a minute.
 */
@SuppressWarnings("exports") // the annotation is gone in the class file
@AutoService(StoreProvider.class)
public final class RedisStoreProvider implements StoreProvider {
    /** For {@link java.util.ServiceLoader}. */
    public RedisStoreProvider() {}

    @Override
    public boolean accepts(String url) {
        return RedisUrl.accepts(url);
    }

    @Override
    public Store open(String url, StoreOptions options) {
        JedisVersion.require();
        return StoreOpener.store(url, options);
    }

    @Override
    public String description() {
        return "outbox-store-redis: Redis from 6.2 on (" + RedisUrl.PLAIN + ", " + RedisUrl.TLS + ")";
    }
}
