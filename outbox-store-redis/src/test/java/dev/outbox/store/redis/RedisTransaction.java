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
    private final String rows;
    private boolean open = true;

    RedisTransaction(UnifiedJedis client, AbstractTransaction transaction, TestAddress address) {
        this.client = client;
        this.transaction = transaction;
        this.persist = address.outbox().persist(transaction);
        this.rows = address.prefix() + ":application-row:"; // in the slot of the outbox, and dropped with it
    }

    @Override
    public PersistFunc persistFunc() {
        return persist;
    }

    @Override
    public Rows rows() {
        return new Rows() {
            @Override
            public void write(String name) {
                transaction.set(rows + name, "");
            }

            @Override
            public boolean isThere(String name) {
                return client.exists(rows + name); // on another connection, because a transaction answers at its end
            }
        };
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
