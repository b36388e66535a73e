package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.DeadLetter;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.WakeUps;
import dev.outbox.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.args.ClientPauseMode;

/** Settings of servers, and clients of applications, that are on lists of recommended ones: the outbox works, or says what is wrong. */
@Tag("redis")
@Timeout(300)
class SettingsTest {
    /** A message is published, one fails and is retried, one dies, is redriven and published; whoever listens is told. */
    private static void everything(Store store, RedisOutbox.Named outbox, RedisClient writer, Duration idle) {
        AtomicInteger told = new AtomicInteger();
        Operations operations = Operations.of(store);
        WakeUps.Subscription wakeUpListener = WakeUps.of(store).onWakeUp(told::incrementAndGet);
        try (wakeUpListener) {
            for (int i = 0; i < 30; i++) {
                try (AbstractTransaction tx = writer.multi()) {
                    for (String text : List.of("published", "failed", "dead")) {
                        outbox.persist(tx).persist(RedisStoreTest.message(i % 3, text));
                    }
                    RedisOutbox.exec(tx).orThrow();
                }
            }
            Load.await(() -> told.get() > 0, "a wake-up");
            List<String> published = new ArrayList<>();
            while (!operations.backlog().isEmpty()) {
                LockSupport.parkNanos(idle.toNanos());
                try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 20)) {
                    batch.messages().forEach(m -> {
                        String text = RedisStoreTest.text(m);
                        if (text.equals("failed") && m.attempts() == 0) {
                            batch.markFailed(m, "away", Duration.ofHours(1));
                        } else if (text.equals("dead")) {
                            batch.deadLetter(m, "poison");
                        } else {
                            batch.markPublished(m, null);
                            published.add(text);
                        }
                    });
                    LockSupport.parkNanos(idle.toNanos());
                }
                operations.failingPartitions().forEach(p -> operations.retryNow(p.topic(), p.partition()));
            }
            assertEquals(60, published.size());
            List<DeadLetter> dead = operations.deadLetters(RedisStoreTest.TOPIC, null, 100);
            assertEquals(30, dead.size());
            String id = dead.get(0).message().id();
            assertEquals(1, operations.redrive(List.of(id)));
            assertEquals(List.of("dead"), RedisStoreTest.publishAll(store, 10));
            assertEquals(
                    29,
                    operations.discard(
                            dead.stream().map(letter -> letter.message().id()).toList()));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--stream-node-max-entries 1",
                "--stream-node-max-bytes 1",
                "--stream-node-max-entries 0 --stream-node-max-bytes 0",
                "--hash-max-listpack-entries 0 --hash-max-listpack-value 1 --zset-max-listpack-entries 0",
                "--lazyfree-lazy-user-del yes --lazyfree-lazy-server-del yes --lazyfree-lazy-user-flush yes",
                "--tcp-keepalive 0",
                "--maxclients 20",
                "--maxmemory 100mb --maxmemory-policy volatile-ttl",
                "--maxmemory 100mb --maxmemory-policy volatile-lru --maxmemory-samples 1",
                "--notify-keyspace-events AKE",
                "--proto-max-bulk-len 1mb",
                "--client-query-buffer-limit 1mb",
                "--lua-time-limit 1",
                "--appendonly no",
                "--appendfsync no",
                "--aof-use-rdb-preamble no",
                "--databases 1",
                "--hz 1 --dynamic-hz no",
                "--io-threads 2 --io-threads-do-reads yes",
                "--maxmemory-clients 2mb",
                "--tracking-table-max-keys 1",
                "--slowlog-log-slower-than 0 --latency-monitor-threshold 1",
                "--replica-read-only no",
                "--rename-command KEYS k --rename-command FLUSHALL f --rename-command DEBUG d"
            })
    void whateverTheServerIsSetTo(String settings) throws Exception {
        try (RedisServer server = RedisServer.packaged(settings.split(" ", -1))) {
            TestAddress address = TestAddress.fresh(server.url());
            try (RedisClient writer = address.client();
                    Store store = address.open()) {
                everything(store, address.outbox(), writer, Duration.ZERO);
            }
        }
    }

    /** A server that closes connections after a second of silence, as some balancers do after longer. */
    @Test
    void connectionsThatAreClosedWhenIdleAreReplaced() throws Exception {
        try (RedisServer server = RedisServer.packaged("--hz", "100")) {
            TestAddress address = TestAddress.fresh(server.url());
            try (RedisClient writer = address.client();
                    Store store = address.open();
                    Jedis settings = server.connect();
                    AbstractTransaction tx = writer.multi()) {
                address.outbox().persist(tx).persist(RedisStoreTest.message(0, "m"));
                RedisOutbox.exec(tx).orThrow();
                settings.configSet("timeout", "1"); // what came before may be slow
                for (int i = 0; i < 3; i++) {
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1_500));
                    try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 1)) {
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1_500));
                        assertTrue(batch.isHeld());
                        batch.markFailed(batch.messages().get(0), "away", Duration.ZERO);
                    }
                }
                assertEquals(1, Operations.of(store).failingPartitions().size());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "--rename-command EVAL no, rename-command",
        "--rename-command EVALSHA no, rename-command",
        "--rename-command XADD no, rename-command",
        "--rename-command XTRIM no, rename-command",
        "--rename-command HSET no, rename-command",
        "--rename-command XLEN no, rename-command",
        "--rename-command DEL no, rename-command",
        "--rename-command TIME no, rename-command",
        "--min-replicas-to-write 1, NOREPLICAS",
        "--maxmemory-policy allkeys-lfu, noeviction"
    })
    void whatCannotWorkIsRefused(String settings, String said) throws Exception {
        try (RedisServer server = RedisServer.packaged(settings.split(" ", -1))) {
            TestAddress address = TestAddress.fresh(server.url());
            OutboxException refused = assertThrows(OutboxException.class, address::open);
            assertTrue(String.valueOf(refused.getMessage()).contains(said), refused::toString);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{outbox}",
                "{\u00fc\u6f22}",
                "a*b?[c]{x}^y$",
                "{#}#1",
                "'\"{'\"}",
                "%{%s}",
                "\\{\\}\\",
                "{a}:ready",
                "0{0}0"
            })
    void whateverThePrefixIs(String prefix) {
        TestAddress address = new TestAddress(RedisServer.shared().url(), prefix, null);
        try (RedisClient writer = address.client();
                Store store = address.open()) {
            everything(store, address.outbox(), writer, Duration.ZERO);
            writer.keys("*").stream().filter(key -> key.startsWith(prefix)).forEach(writer::del);
        }
    }

    @Test
    void anyDatabaseThatThereIs() {
        String url = RedisServer.shared().url();
        TestAddress address = TestAddress.fresh(url + "/7");
        RedisUrl parsed = RedisUrl.parse(url);
        try (RedisClient writer = RedisClient.builder()
                        .hostAndPort(parsed.hosts().iterator().next())
                        .clientConfig(config(parsed).database(7).build())
                        .build();
                Store store = address.open()) {
            everything(store, address.outbox(), writer, Duration.ZERO);
        }
        OutboxException refused =
                assertThrows(OutboxException.class, () -> new TestAddress(url + "/99", address.prefix(), null).open());
        assertTrue(String.valueOf(refused.getMessage()).contains("DB index is out of range"), refused::toString);
    }

    static DefaultJedisClientConfig.Builder config(RedisUrl url) {
        return DefaultJedisClientConfig.builder().user(url.user()).password(url.password());
    }

    private static RedisClient client(TestAddress address, @Nullable RedisProtocol protocol, int connections) {
        RedisUrl url = RedisUrl.parse(address.url());
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(connections);
        return RedisClient.builder()
                .hostAndPort(url.hosts().iterator().next())
                .clientConfig(config(url).protocol(protocol).build())
                .poolConfig(pool)
                .build();
    }

    @ParameterizedTest
    @CsvSource({"RESP2,8", "RESP3,8", "RESP2,2", "RESP3,2", ",3"})
    void whateverClientTheApplicationHas(@Nullable RedisProtocol protocol, int connections) {
        TestAddress address = TestAddress.fresh(RedisServer.shared().url());
        try (RedisClient client = client(address, protocol, connections);
                RedisClient writer = client(address, protocol, 1);
                Store store = address.outbox().store(client, StoreOptions.defaults())) {
            everything(store, address.outbox(), writer, Duration.ZERO);
        }
    }

    /** Whoever listens keeps the only connection, and everybody else would wait for it for ever. */
    @Test
    void aPoolOfOneConnectionIsForStoresThatDoNotListen() {
        TestAddress address = TestAddress.fresh(RedisServer.shared().url());
        try (RedisClient client = client(address, null, 1)) {
            String said = assertThrows(
                            ConfigurationException.class, () -> address.outbox().store(client, StoreOptions.defaults()))
                    .getMessage();
            assertTrue(
                    String.valueOf(said).contains("maxTotal")
                            && String.valueOf(said).contains("wakeUp=false"),
                    said);
            StoreOptions silent = StoreOptions.defaults().withWakeUp(false);
            try (Store store = address.outbox().store(client, silent)) {
                try (AbstractTransaction tx = client.multi()) {
                    address.outbox().persist(tx).persist(RedisStoreTest.message(0, "m"));
                    RedisOutbox.exec(tx).orThrow();
                }
                assertEquals(List.of("m"), RedisStoreTest.publishAll(store, 1));
            }
        }
    }

    @Test
    void anOutboxIsTheOneThatIsNamed() {
        TestAddress address = TestAddress.fresh(RedisServer.shared().url());
        StoreOptions same = StoreOptions.defaults().withPrefix(address.prefix()).with(RedisOutbox.SPREAD, 2);
        RedisOutbox.Named outbox = RedisOutbox.named(address.prefix()).spread(2);
        try (RedisClient client = address.client();
                Store byOptions = RedisOutbox.store(client, same);
                Store byName = outbox.store(client, same)) {
            for (Store store : List.of(byOptions, byName)) {
                try (AbstractTransaction tx = client.multi()) {
                    outbox.persist(tx).persist(RedisStoreTest.message(1, "m"));
                    RedisOutbox.exec(tx).orThrow();
                }
                assertEquals(List.of("m"), RedisStoreTest.publishAll(store, 1));
            }
            for (StoreOptions other : List.of(
                    StoreOptions.defaults().withPrefix("{other}"),
                    StoreOptions.defaults().with(RedisOutbox.SPREAD, 3))) {
                String said = assertThrows(ConfigurationException.class, () -> outbox.store(client, other))
                        .getMessage();
                assertTrue(String.valueOf(said).contains("Leave the option away"), said);
            }
        }
    }

    /** As many as the relays have workers, of which the store is not told. */
    @Test
    void aStoreOpenedByUrlHasAConnectionForEveryCall() throws Exception {
        int calls = 20;
        try (RedisServer server = RedisServer.packaged();
                Jedis asking = server.connect();
                Store store = Stores.open(server.url())) {
            asking.clientPause(TimeUnit.MINUTES.toMillis(1), ClientPauseMode.WRITE);
            List<Future<?>> waiting = new ArrayList<>();
            ExecutorService threads = Executors.newFixedThreadPool(calls);
            try {
                for (int i = 0; i < calls; i++) {
                    Set<String> topics = Set.of("topic" + i);
                    waiting.add(threads.submit(() -> store.checkout(topics, 1).close()));
                }
                Load.await(() -> connections(asking) >= calls, "a connection for every call");
                asking.clientUnpause();
                for (Future<?> each : waiting) {
                    each.get();
                }
            } finally {
                threads.shutdownNow();
            }
        }
    }

    private static long connections(Jedis asking) {
        return asking.clientList()
                .lines()
                .filter(line -> line.contains(" name=outbox "))
                .count();
    }

    @Test
    void optionsWithoutEffectAreRefused() {
        TestAddress address = TestAddress.fresh(RedisServer.shared().url());
        try (RedisClient client = address.client()) {
            StoreOptions none = StoreOptions.defaults().withPrefix(address.prefix());
            for (StoreOptions options : List.of(
                    none.withUser("app"),
                    none.withPassword("s3cr3t"),
                    none.with(RedisOutbox.SENTINEL_USER, "app"),
                    none.with(RedisOutbox.SENTINEL_PASSWORD, "s3cr3t"))) {
                assertRefused("has no effect here: the client is", () -> RedisOutbox.store(client, options));
            }
            assertRefused(
                    "Option sentinelUser has no effect here: the URL names no sentinels",
                    () -> Stores.open(address.url(), none.with(RedisOutbox.SENTINEL_USER, "app")));
            RedisOutbox.Named silent = RedisOutbox.named(address.prefix()).withoutWakeUps();
            assertRefused("The option wakeUp is 'true'", () -> silent.store(client, none.withWakeUp(true)));
            silent.store(client, none.withWakeUp(false)).close();
            RedisOutbox.store(client, none.withCreateSchema(true)).close();
        }
    }

    private static void assertRefused(String text, Executable opening) {
        String said = String.valueOf(
                assertThrows(ConfigurationException.class, opening).getMessage());
        assertTrue(said.contains(text) && !said.contains("s3cr3t"), said);
    }
}
