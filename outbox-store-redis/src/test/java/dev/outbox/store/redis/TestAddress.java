package dev.outbox.store.redis;

import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.tck.WriteTransaction;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.util.JedisClusterCRC16;

/**
 * An outbox of a test: where, and under which prefix.
 *
 * @param url of a server or a cluster
 */
record TestAddress(String url, String prefix) {
    /** Short, because tests wait for its end. */
    static final Duration LEASE = Duration.ofSeconds(2);

    static TestAddress fresh(String url) {
        return new TestAddress(url, "{tck-" + UUID.randomUUID() + "}");
    }

    static TestAddress parse(String text) {
        int space = text.indexOf(' ');
        return new TestAddress(text.substring(0, space), text.substring(space + 1));
    }

    @Override
    public String toString() {
        return url + " " + prefix;
    }

    RedisOutbox outbox() {
        return RedisOutbox.withPrefix(prefix);
    }

    StoreOptions options() {
        return StoreOptions.defaults()
                .with(Opening.PREFIX, prefix)
                .with(Opening.LEASE_MILLIS, Long.toString(LEASE.toMillis()));
    }

    Store open() {
        return Stores.open(url, options());
    }

    RedisClient client() {
        RedisUrl parsed = RedisUrl.parse(url);
        return RedisClient.builder()
                .hostAndPort(parsed.hosts().iterator().next())
                .clientConfig(DefaultJedisClientConfig.builder()
                        .password(parsed.password())
                        .build())
                .build();
    }

    RedisClusterClient clusterClient() {
        RedisUrl parsed = RedisUrl.parse(url);
        return RedisClusterClient.builder()
                .nodes(parsed.hosts())
                .clientConfig(DefaultJedisClientConfig.builder()
                        .password(parsed.password())
                        .build())
                .build();
    }

    WriteTransaction begin() {
        if (RedisUrl.parse(url).cluster()) {
            RedisClusterClient client = clusterClient();
            int slot = JedisClusterCRC16.getSlot(prefix);
            return new RedisTransaction(client, new Transaction(client.getConnectionFromSlot(slot), true, true), this);
        }
        RedisClient client = client();
        return new RedisTransaction(client, client.multi(), this);
    }

    /** Deletes all keys of an outbox on one server, found by looking through all there are. */
    static void drop(Connection server, String prefix) {
        String cursor = "0";
        do {
            List<Object> found = Reply.list(server.executeCommand(new CommandArguments(Protocol.Command.SCAN)
                    .addObjects(cursor, "MATCH", prefix + ":*", "COUNT", "10000")));
            for (Object key : Reply.list(found.get(1))) {
                server.executeCommand(new CommandArguments(Protocol.Command.UNLINK).add(key));
            }
            cursor = Reply.text(found.get(0));
        } while (!cursor.equals("0"));
    }
}
