package dev.outbox.store.redis;

import dev.outbox.ConfigurationException;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.spi.Redacted;
import dev.outbox.store.support.Surroundings;
import java.time.Duration;
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

/** Opens stores, and refuses immediately what would fail later. */
final class StoreOpener {
    private static final int CONNECT_MILLIS = 5_000;
    private static final int SOCKET_MILLIS = 10_000;
    private static final int LEAST_SOCKET_MILLIS = 1_000;

    /** The pool opens connections as they are needed, and ends those that were idle for a minute. */
    private static final int NO_LIMIT = -1;

    private static final String CLIENT = "the client is that of the application";

    private StoreOpener() {}

    static Store store(UnifiedJedis client, KeyNames keyNames, boolean wakeUp, StoreOptions options) {
        options.refuse(StoreOptions.USER, CLIENT + ", and logs in by itself");
        options.refuse(StoreOptions.PASSWORD, CLIENT + ", and logs in by itself");
        options.refuse(RedisOutbox.SENTINEL_USER, CLIENT + ", and logs in by itself");
        options.refuse(RedisOutbox.SENTINEL_PASSWORD, CLIENT + ", and logs in by itself");
        options.requireKnown(
                StoreOptions.CREATE_SCHEMA,
                StoreOptions.PREFIX,
                StoreOptions.WAKE_UP,
                RedisOutbox.SPREAD,
                RedisOutbox.LEASE);
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
        return new KeyNames(
                options.get(StoreOptions.PREFIX, RedisOutbox.DEFAULT_PREFIX), options.get(RedisOutbox.SPREAD, 1));
    }

    static Store store(String url, StoreOptions options) {
        return store(url, options, null);
    }

    /** @param way where to connect to instead of what a server calls itself, or null; for tests of the network */
    static Store store(String url, StoreOptions options, @Nullable HostAndPortMapper way) {
        options.requireKnown(
                StoreOptions.USER,
                StoreOptions.PASSWORD,
                StoreOptions.CREATE_SCHEMA,
                StoreOptions.PREFIX,
                StoreOptions.WAKE_UP,
                RedisOutbox.SPREAD,
                RedisOutbox.LEASE,
                RedisOutbox.SENTINEL_USER,
                RedisOutbox.SENTINEL_PASSWORD);
        RedisUrl parsed = RedisUrl.parse(url);
        if (parsed.sentinel() == null) {
            String why = "the URL names no sentinels. If its hosts are sentinels, add ?sentinel=<name of the master>";
            options.refuse(RedisOutbox.SENTINEL_USER, why);
            options.refuse(RedisOutbox.SENTINEL_PASSWORD, why);
        }
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
    private record Settings(Duration lease, boolean wakeUp) {
        static Settings of(StoreOptions options) {
            options.get(StoreOptions.CREATE_SCHEMA); // is kept already, because there is nothing to create
            return new Settings(
                    options.get(RedisOutbox.LEASE, RedisOutbox.DEFAULT_LEASE), options.get(StoreOptions.WAKE_UP, true));
        }

        /**
         * How long to wait for an answer. A connection that has died without a word must not cost a lease that is
         * renewed over it: there is time for another one.
         */
        int socketMillis() {
            return (int) Math.max(LEAST_SOCKET_MILLIS, Math.min(SOCKET_MILLIS, lease.toMillis() / 3));
        }
    }

    private static Store open(
            RedisClientAdapter adapter, KeyNames keyNames, boolean wakeUp, StoreOptions options, String shown) {
        try {
            Settings settings = Settings.of(options);
            RetryingClient client = new RetryingClient(adapter);
            ServerCheck check = new ServerCheck(client, adapter.isCluster());
            check.run(keyNames);
            return new RedisStore(
                    adapter,
                    client,
                    keyNames,
                    settings.lease(),
                    wakeUp && settings.wakeUp(),
                    new Surroundings<>(check::unfit));
        } catch (RuntimeException e) {
            adapter.close();
            throw StoreErrors.atOpening("Opening " + shown, e);
        }
    }

    private static RedisClientAdapter connect(RedisUrl url, StoreOptions options, @Nullable HostAndPortMapper way) {
        GenericObjectPoolConfig<Connection> pool = new ConnectionPoolConfig();
        Settings settings = Settings.of(options);
        pool.setMaxTotal(NO_LIMIT);
        pool.setMaxIdle(NO_LIMIT);
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
            config.sslOptions(SslOptions.builder().build()); // checks the certificate, and that it is for this host
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
