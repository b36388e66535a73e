package dev.outbox.store.redis;

import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.tck.WriteTransaction;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.util.JedisClusterCRC16;

/**
 * An outbox of a test: where, and under which prefix.
 *
 * @param url of a server or a cluster
 * @param proxy the port on this machine by way of which its servers are reached, or null
 */
record TestAddress(String url, String prefix, @Nullable Integer proxy) {
    /** Short, because tests wait for its end. */
    static final Duration LEASE = Duration.ofSeconds(2);

    static TestAddress fresh(String url) {
        return new TestAddress(url, "{tck-" + UUID.randomUUID() + "}", null);
    }

    static TestAddress parse(String text) {
        String[] parts = text.split(" ", -1);
        return new TestAddress(parts[0], parts[1], parts.length < 3 ? null : Integer.valueOf(parts[2]));
    }

    @Override
    public String toString() {
        return url + " " + prefix + (proxy == null ? "" : " " + proxy);
    }

    /** The same by way of a proxy. */
    TestAddress through(InetSocketAddress way) {
        return new TestAddress(url, prefix, way.getPort());
    }

    /** Its server, or one of them. */
    InetSocketAddress endpoint() {
        HostAndPort first = RedisUrl.parse(url).hosts().iterator().next();
        return new InetSocketAddress(first.getHost(), first.getPort());
    }

    /** Where to connect to instead of a server. */
    HostAndPort way(HostAndPort server) {
        if (proxy == null) {
            return server;
        }
        return RedisUrl.parse(url).cluster() ? Switchboard.lineTo(server, proxy) : new HostAndPort("127.0.0.1", proxy);
    }

    RedisOutbox.Named outbox() {
        return RedisOutbox.named(prefix);
    }

    StoreOptions options() {
        return StoreOptions.defaults().withPrefix(prefix).with(RedisOutbox.LEASE, LEASE);
    }

    /** With leases that no pause of a busy machine outlasts. */
    Store open() {
        return open(options().with(RedisOutbox.LEASE, Duration.ofMinutes(10)));
    }

    /** With leases whose end a test waits for. */
    Store openWithShortLeases() {
        return open(options());
    }

    private Store open(StoreOptions options) {
        return proxy == null ? Stores.open(url, options) : StoreOpener.store(url, options, this::way);
    }

    RedisClient client() {
        RedisUrl parsed = RedisUrl.parse(url);
        return RedisClient.builder()
                .hostAndPort(parsed.hosts().iterator().next())
                .clientConfig(DefaultJedisClientConfig.builder()
                        .user(parsed.user())
                        .password(parsed.password())
                        .hostAndPortMapper(this::way)
                        .build())
                .build();
    }

    RedisClusterClient clusterClient() {
        RedisUrl parsed = RedisUrl.parse(url);
        return RedisClusterClient.builder()
                .nodes(parsed.hosts())
                .clientConfig(DefaultJedisClientConfig.builder()
                        .user(parsed.user())
                        .password(parsed.password())
                        .hostAndPortMapper(this::way)
                        .build())
                .build();
    }

    /** Of the master that the sentinels of the URL know now. */
    RedisSentinelClient sentinelClient() {
        RedisUrl parsed = RedisUrl.parse(url);
        return RedisSentinelClient.builder()
                .masterName(String.valueOf(parsed.sentinel()))
                .sentinels(parsed.hosts())
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
        UnifiedJedis client = RedisUrl.parse(url).sentinel() == null ? client() : sentinelClient();
        return new RedisTransaction(client, client.multi(), this);
    }

    /** What the server calls itself, with its version. */
    static String product(UnifiedJedis client) {
        return "Redis "
                + client.info("server")
                        .lines()
                        .filter(line -> line.startsWith("redis_version:"))
                        .findFirst()
                        .orElseThrow()
                        .substring("redis_version:".length());
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
