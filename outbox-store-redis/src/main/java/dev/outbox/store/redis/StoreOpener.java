package dev.outbox.store.redis;

import dev.outbox.ConfigurationException;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.spi.Redacted;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import org.apache.commons.pool2.impl.GenericObjectPoolConfig;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPool;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPortMapper;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.SslOptions;
import redis.clients.jedis.UnifiedJedis;

/** Opens stores, and refuses at once what would fail later. */
final class StoreOpener {
    private static final int LEAST_LEASE_MILLIS = 100;

    private static final int CONNECT_MILLIS = 5_000;
    private static final int SOCKET_MILLIS = 10_000;
    private static final int LEAST_SOCKET_MILLIS = 1_000;

    /** Connections beside those of workers: for leases, for wake-ups, and for operations. */
    private static final int SPARE_CONNECTIONS = 3;

    private static final Set<String> FOR_ALL = Set.of(
            StoreOptions.WORKERS,
            StoreOptions.CREATE_SCHEMA,
            RedisOutbox.PREFIX,
            RedisOutbox.SPREAD,
            RedisOutbox.LEASE_MILLIS,
            RedisOutbox.WAKE_UP);
    private static final Set<String> FOR_URLS =
            Set.of(StoreOptions.USER, StoreOptions.PASSWORD, RedisOutbox.SENTINEL_USER, RedisOutbox.SENTINEL_PASSWORD);

    private StoreOpener() {}

    static Store store(UnifiedJedis client, KeyNames keyNames, boolean wakeUp, StoreOptions options) {
        options.requireKnown(FOR_ALL);
        RedisClientAdapter adapter = RedisClientAdapter.of(client);
        if (wakeUp && Settings.of(options).wakeUp() && adapter.mostConnections() == 1) {
            throw new ConfigurationException(
                    "The pool of this client has one connection, which whoever listens for commits"
                            + " would keep: give it a maxTotal of 2 or more, or open the store with wakeUp=false.");
        }
        return open(adapter, keyNames, wakeUp, options, "the outbox");
    }

    /** Which outbox the options name. */
    static KeyNames names(StoreOptions options) {
        String prefix = options.get(RedisOutbox.PREFIX);
        return new KeyNames(
                prefix == null ? RedisOutbox.DEFAULT_PREFIX : prefix, options.getInt(RedisOutbox.SPREAD, 1, 1));
    }

    static Store store(String url, StoreOptions options) {
        return store(url, options, null);
    }

    /** @param way where to connect to instead of what a server calls itself, or null; for tests of the network */
    static Store store(String url, StoreOptions options, @Nullable HostAndPortMapper way) {
        Set<String> known = new TreeSet<>(FOR_ALL);
        known.addAll(FOR_URLS);
        options.requireKnown(known);
        RedisUrl parsed = RedisUrl.parse(url);
        KeyNames keyNames = names(options);
        Settings.of(options); // before anything is connected
        String shown = "the outbox at " + Redacted.url(url);
        RedisClientAdapter adapter;
        try {
            adapter = connect(parsed, options, way);
        } catch (RuntimeException e) {
            throw StoreErrors.atOpening("Opening " + shown, e);
        }
        return open(adapter, keyNames, true, options, shown);
    }

    /** What the options say that concern every store. */
    private record Settings(int workers, Duration lease, boolean wakeUp) {
        static Settings of(StoreOptions options) {
            options.getBoolean(StoreOptions.CREATE_SCHEMA, false);
            return new Settings(
                    options.getInt(StoreOptions.WORKERS, 1, StoreOptions.DEFAULT_WORKERS),
                    Duration.ofMillis(options.getInt(
                            RedisOutbox.LEASE_MILLIS, LEAST_LEASE_MILLIS, RedisOutbox.DEFAULT_LEASE_MILLIS)),
                    options.getBoolean(RedisOutbox.WAKE_UP, true));
        }

        /**
         * How long to wait for an answer. A connection that has died without a word must not cost a lease that is renewed
         * over it: there is time for another one.
         */
        int socketMillis() {
            return (int) Math.max(LEAST_SOCKET_MILLIS, Math.min(SOCKET_MILLIS, lease.toMillis() / 3));
        }
    }

    private static Store open(
            RedisClientAdapter adapter, KeyNames keyNames, boolean wakeUp, StoreOptions options, String shown) {
        try {
            Settings settings = Settings.of(options);
            new ServerCheck(new RetryingClient(adapter), adapter.isCluster()).run(keyNames);
            return new RedisStore(adapter, keyNames, settings.lease(), wakeUp && settings.wakeUp());
        } catch (RuntimeException e) {
            adapter.close();
            throw StoreErrors.atOpening("Opening " + shown, e);
        }
    }

    private static RedisClientAdapter connect(RedisUrl url, StoreOptions options, @Nullable HostAndPortMapper way) {
        GenericObjectPoolConfig<Connection> pool = new ConnectionPoolConfig();
        Settings settings = Settings.of(options);
        int connections = settings.workers() + SPARE_CONNECTIONS;
        pool.setMaxTotal(connections);
        pool.setMaxIdle(connections);
        pool.setMaxWait(Duration.ofMillis(SOCKET_MILLIS));
        String user = options.get(StoreOptions.USER);
        String password = options.get(StoreOptions.PASSWORD);
        JedisClientConfig config = config(
                        url,
                        settings,
                        user == null ? url.user() : user,
                        password == null ? url.password() : password,
                        url.database())
                .hostAndPortMapper(way)
                .build();
        if (url.sentinel() != null) {
            return RedisClientAdapter.own(
                    RedisSentinelClient.builder()
                            .masterName(url.sentinel())
                            .sentinels(url.hosts())
                            .clientConfig(config)
                            .sentinelClientConfig(config(
                                            url,
                                            settings,
                                            options.get(RedisOutbox.SENTINEL_USER),
                                            options.get(RedisOutbox.SENTINEL_PASSWORD),
                                            0)
                                    .build())
                            .poolConfig(pool)
                            .build(),
                    client -> {});
        }
        if (url.cluster()) {
            return RedisClientAdapter.own(
                    RedisClusterClient.builder()
                            .nodes(url.hosts())
                            .clientConfig(config)
                            .poolConfig(pool)
                            .build(),
                    client -> ((RedisClusterClient) client)
                            .getClusterNodes()
                            .values()
                            .forEach(ConnectionPool::clear));
        }
        return RedisClientAdapter.own(
                RedisClient.builder()
                        .hostAndPort(url.hosts().iterator().next())
                        .clientConfig(config)
                        .poolConfig(pool)
                        .build(),
                client -> ((RedisClient) client).getPool().clear());
    }

    private static DefaultJedisClientConfig.Builder config(
            RedisUrl url, Settings settings, @Nullable String user, @Nullable String password, int database) {
        DefaultJedisClientConfig.Builder config = DefaultJedisClientConfig.builder()
                .connectionTimeoutMillis(Math.min(CONNECT_MILLIS, settings.socketMillis()))
                .socketTimeoutMillis(settings.socketMillis())
                .clientName("outbox")
                .database(database);
        if (url.tls()) {
            config.sslOptions(SslOptions.defaults()); // checks the certificate, and that it is for this host
        }
        if (user != null && password == null) {
            throw new ConfigurationException("There is a user and no password: give the option password.");
        }
        if (password != null) {
            config.user(user).password(password);
        }
        return config;
    }
}
