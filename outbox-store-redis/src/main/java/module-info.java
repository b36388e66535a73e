import org.jspecify.annotations.NullMarked;

/**
 * The outbox in Redis: {@link dev.outbox.store.redis.RedisOutbox} writes messages in Redis transactions and opens
 * stores; {@link dev.outbox.Stores#open} opens them by {@code redis:} URL.
 */
@NullMarked
module dev.outbox.store.redis {
    exports dev.outbox.store.redis;

    requires transitive dev.outbox;
    requires transitive redis.clients.jedis;
    requires org.apache.commons.pool2;
    requires dev.outbox.store.support;
    requires org.slf4j;
    requires static com.google.auto.service;
    requires static transitive org.jspecify;

    provides dev.outbox.StoreProvider with
            dev.outbox.store.redis.RedisStoreProvider;
}
