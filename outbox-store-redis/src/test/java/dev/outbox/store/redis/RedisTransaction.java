package dev.outbox.store.redis;

import dev.outbox.PersistFunc;
import dev.outbox.tck.WriteTransaction;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.UnifiedJedis;

/** A transaction of the application on a client of its own. */
final class RedisTransaction implements WriteTransaction {
    private final UnifiedJedis client;
    private final AbstractTransaction transaction;
    private final PersistFunc persist;
    private boolean open = true;

    RedisTransaction(UnifiedJedis client, AbstractTransaction transaction, TestAddress address) {
        this.client = client;
        this.transaction = transaction;
        this.persist = address.outbox().persist(transaction);
    }

    @Override
    public PersistFunc persistFunc() {
        return persist;
    }

    @Override
    public void commit() {
        open = false;
        RedisOutbox.exec(transaction).orThrow();
    }

    @Override
    public void rollback() {
        if (open) {
            open = false;
            transaction.discard();
        }
    }

    @Override
    public void close() {
        try (client) {
            transaction.close(); // which discards what is open
        }
    }
}
