package dev.outbox.store.redis;

import com.google.auto.service.AutoService;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.spi.StoreProvider;

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
 * <ul> <li>{@code user} and {@code password}, in place of those in the URL; {@code sentinelUser} and {@code
 * sentinelPassword}, for the sentinels, by default none; <li>{@code prefix} and {@code spread}, as {@link
 * RedisOutbox#named} and {@link RedisOutbox.Named#spread} have them, by default <code>{outbox}</code> and 1: writers
 * and stores must say the same; <li>{@code leaseMillis}, how long a hold survives its process in milliseconds, by
 * default 10000, at least 100: a killed relay keeps its partitions for as long, and one that is paused for longer loses
 * them; <li>{@link RedisOutbox#WAKE_UP}, whether to listen for commits, by default true; <li>{@code workers}, how many
 * batches will be open at a time, by default {@value StoreOptions#DEFAULT_WORKERS}, with three connections more than
 * that per server; {@code createSchema} has no effect, because there is nothing to create.
 * </ul>
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
