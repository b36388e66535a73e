package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.WakeUps;
import dev.outbox.servers.Ports;
import dev.outbox.servers.RedisCluster;
import dev.outbox.servers.RedisServer;
import dev.outbox.servers.StandardError;
import dev.outbox.servers.TcpProxy;
import dev.outbox.store.support.Surroundings;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.util.JedisClusterCRC16;

/** What is set up wrongly is refused, or warned of, when a store is opened, with what to change, and without a password. */
@Tag("redis")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RedisOpeningTest {
    private static final String SECRET = "s3cr3t";
    private static final String PREFIX = "{shop}:outbox";

    private static RedisServer server;
    private static TestAddress address;

    @BeforeAll
    static void start() throws Exception {
        server = RedisServer.packaged();
        address = new TestAddress(server.url(), PREFIX, null);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static <E extends OutboxException> String refusal(Class<E> type, String url, StoreOptions options) {
        E error = assertThrows(type, () -> Stores.open(url, options).close());
        for (Throwable each = error; each != null; each = each.getCause()) {
            assertFalse(each.toString().contains(SECRET), "the password is in " + each);
        }
        return String.valueOf(error.getMessage());
    }

    private static void assertContains(String part, String text) {
        assertTrue(text.contains(part), "expected '" + part + "' in: " + text);
    }

    @Test
    void aServerThatLosesMessagesIsWarnedOfOrRefused() {
        try (Jedis jedis = server.connect()) {
            assertEquals(
                    "",
                    StandardError.during(() -> address.open().close()),
                    "warnings of a server that keeps what it has");
            jedis.configSet("appendonly", "no");
            assertContains(
                    "Set appendonly yes",
                    StandardError.during(() -> address.open().close()));
            jedis.configSet("appendonly", "yes");
            for (String policy : List.of("allkeys-lru", "allkeys-lfu", "allkeys-random")) {
                jedis.configSet("maxmemory-policy", policy);
                String said = refusal(ConfigurationException.class, server.url(), address.options());
                assertContains(policy, said);
                assertContains("set noeviction", said);
            }
            jedis.configSet("maxmemory-policy", "volatile-lru");
            address.open().close();
            jedis.configSet("maxmemory-policy", "noeviction");
        }
    }

    /** What is set under a store that is open, or on the server that becomes the master, is as bad. */
    @Test
    void whatIsSetUnderAnOpenStoreIsSaid() {
        Duration before = Surroundings.every;
        Surroundings.every = Duration.ZERO;
        try (Jedis jedis = server.connect();
                Store store = address.open()) {
            store.checkout(Set.of("t"), 10).close();
            for (String policy : List.of("allkeys-lru", "allkeys-lfu", "allkeys-random")) {
                jedis.configSet("maxmemory-policy", policy);
                for (Executable asked : List.<Executable>of(
                        () -> store.checkout(Set.of("t"), 10),
                        () -> Operations.of(store).backlog())) {
                    String said = assertThrows(StoreException.class, asked).getMessage();
                    assertContains("not as it was when the store was opened", said);
                    assertContains("maxmemory-policy " + policy, said);
                }
                jedis.configSet("maxmemory-policy", "volatile-lru");
                store.checkout(Set.of("t"), 10).close();
                assertEquals(List.of(), Operations.of(store).backlog());
            }
            for (int i = 0; i < 2; i++) {
                jedis.configSet("appendonly", "no");
                String warned = StandardError.during(
                        () -> store.checkout(Set.of("t"), 10).close());
                assertContains("Set appendonly yes", warned);
                assertEquals(
                        "",
                        StandardError.during(
                                () -> store.checkout(Set.of("t"), 10).close()),
                        "a warning for each checkout");
                jedis.configSet("appendonly", "yes");
                assertEquals(
                        "",
                        StandardError.during(() -> Operations.of(store).backlog()),
                        "a warning of what is as it must be");
            }
        } finally {
            Surroundings.every = before;
            try (Jedis jedis = server.connect()) {
                jedis.configSet("maxmemory-policy", "noeviction");
                jedis.configSet("appendonly", "yes");
            }
        }
    }

    /** It costs no batch a round trip. */
    @Test
    void settingsAreNotAskedForWithEachBatch() {
        try (Jedis jedis = server.connect();
                Store store = address.open()) {
            jedis.configResetStat();
            for (int i = 0; i < 20; i++) {
                store.checkout(Set.of("t"), 10).close();
            }
            assertFalse(jedis.info("commandstats").contains("cmdstat_info:"), "asked by a checkout");
            jedis.configResetStat();
            Operations.of(store).backlog();
            assertContains("cmdstat_info:calls=1,", jedis.info("commandstats"));
        }
    }

    @Test
    void aReplicaIsRefused() throws Exception {
        try (RedisServer replica = RedisServer.packaged("--replicaof", "127.0.0.1 " + server.port());
                RedisServer sentinel = RedisServer.sentinel("shop", server)) {
            assertContains("open the master", refusal(ConfigurationException.class, replica.url(), address.options()));
            String asServer = sentinel.url().replaceAll("\\?.*", "").replaceAll("//.*@", "//");
            assertContains("?sentinel=", refusal(ConfigurationException.class, asServer, address.options()));
            String wrongName = sentinel.url().replace("sentinel=shop", "sentinel=shoe");
            refusal(StoreException.class, wrongName, address.options());
            Stores.open(sentinel.url(), address.options()).close();
        }
    }

    @Test
    void wrongPasswordsAreRefused() {
        String without = server.url().replaceAll("//.*@", "//");
        for (String url : List.of(without, without.replace("//", "//:" + SECRET + "@"))) {
            assertContains("Give the user and password", refusal(ConfigurationException.class, url, address.options()));
        }
        assertContains(
                "Give the user and password",
                refusal(
                        ConfigurationException.class,
                        without,
                        address.options().withUser("nobody").withPassword(SECRET)));
        assertContains(
                "give the option password",
                refusal(ConfigurationException.class, without, address.options().withUser("nobody")));
    }

    @Test
    void aServerThatIsNotThereIsNamed() {
        assertContains(
                "127.0.0.1:1", refusal(StoreException.class, "redis://:" + SECRET + "@127.0.0.1:1", address.options()));
    }

    /** What goes through a batch is done twice then, in part, which is no fault of the server. */
    @ParameterizedTest
    @ValueSource(strings = {"\\r\\nnone\\r\\n", "EVALSHA"})
    void anAnswerThatIsLostDoesNotCountAgainstTheServer(String lastOfTheRequest) throws Exception {
        TestAddress own = TestAddress.fresh(server.url());
        try (TcpProxy network = TcpProxy.before(server.url());
                Jedis jedis = server.connect()) {
            network.cutAtNext(Pattern.compile(lastOfTheRequest), TcpProxy.Moment.BEFORE_ANSWER);
            own.through(new InetSocketAddress(InetAddress.getLoopbackAddress(), network.port()))
                    .open()
                    .close();
            assertEquals(1, network.sprung());
            assertEquals(Set.of(), jedis.keys(own.prefix() + ":check:*"));
        }
    }

    @Test
    void aClusterIsNoServer() {
        String cluster = RedisCluster.shared().url();
        String node = cluster.replaceAll(",.*", "");
        assertContains("?cluster=true", refusal(ConfigurationException.class, node, address.options()));
        Stores.open(node + "?cluster=true", address.options()).close();
        assertThrows(OutboxException.class, () -> Stores.open(server.url() + "?cluster=true", address.options()));
    }

    /** In a cluster, what is queued on the wrong server or with the wrong tag is not written, and the reason is given. */
    @Test
    void keysOfAnotherSlotAreRefused() {
        TestAddress inCluster = TestAddress.fresh(RedisCluster.shared().url());
        try (RedisClusterClient client = inCluster.clusterClient();
                Store store = inCluster.open()) {
            int own = JedisClusterCRC16.getSlot(inCluster.prefix());
            for (int slot : new int[] {own, (own + 5_500) % 16_384}) {
                try (Transaction tx = new Transaction(client.getConnectionFromSlot(slot), true, true)) {
                    if (slot == own) {
                        tx.set("{another-" + inCluster.prefix().substring(1), "value"); // on this server or not
                    }
                    inCluster.outbox().persist(tx).persist(RedisStoreTest.message(0, "m"));
                    String why = assertInstanceOf(TransactionResult.NothingWritten.class, RedisOutbox.exec(tx))
                            .why();
                    assertContains("hash tag", why);
                }
            }
            assertEquals(List.of(), RedisStoreTest.publishAll(store, 10));
        }
    }

    /** The commands that the documentation asks for are enough for everything, and each of them is missed. */
    @Test
    void everyCommandInTheDocumentationIsNeeded() throws Exception {
        List<String> rules = documented("relay");
        try (Jedis jedis = server.connect()) {
            jedis.aclSetUser("relay", rules.toArray(String[]::new));
            StoreOptions options = address.options().withUser("relay").withPassword("secret");
            String url = server.url().replaceAll("//.*@", "//");
            jedis.aclSetUser("writer", documented("shop").toArray(String[]::new));
            try (RedisClient writer = new TestAddress(url.replace("//", "//writer:secret@"), PREFIX, null).client();
                    Store store = Stores.open(url, options)) {
                everything(store, writer);
            }
            for (String rule : rules) {
                if (!rule.startsWith("+") || rule.startsWith("+@")) {
                    continue;
                }
                String command = rule.substring(1);
                jedis.aclSetUser("relay", "-" + command);
                switch (command) {
                    case "info" ->
                        assertContains(
                                "noeviction",
                                StandardError.during(
                                        () -> Stores.open(url, options).close()));
                    case "subscribe" -> {
                        try (Store store = Stores.open(url, options)) {
                            assertContains(
                                    "ACL SETUSER",
                                    String.valueOf(assertThrows(
                                                    ConfigurationException.class,
                                                    () -> WakeUps.of(store).onWakeUp(() -> {}))
                                            .getMessage()));
                        }
                        Stores.open(url, options.withWakeUp(false)).close();
                    }
                    case "unsubscribe" -> Stores.open(url, options).close(); // it leaves by closing
                    default -> {
                        String said = refusal(ConfigurationException.class, url, options);
                        assertContains("ACL SETUSER", said);
                        assertContains(command, said.toLowerCase(Locale.ROOT));
                    }
                }
                jedis.aclSetUser("relay", rule);
            }
        }
    }

    private static List<String> documented(String user) throws Exception {
        List<String> lines = Files.readAllLines(Path.of("..", "docs", "REDIS.md"));
        List<String> rules = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).contains("ACL SETUSER " + user)) {
                do {
                    rules.addAll(Arrays.asList(lines.get(i)
                            .replaceAll(".*SETUSER " + user, "")
                            .trim()
                            .split(" +", -1)));
                    i++;
                } while (lines.get(i).startsWith("     "));
            }
        }
        rules.removeIf(rule -> rule.equals("…"));
        assertTrue(rules.contains("on"), "rules of " + user + " in docs/REDIS.md: " + rules);
        return rules;
    }

    private static void everything(Store store, RedisClient writer) {
        for (int i = 0; i < 3; i++) {
            try (AbstractTransaction tx = writer.multi()) {
                for (String text : List.of("published", "failed", "dead")) {
                    address.outbox().persist(tx).persist(RedisStoreTest.message(0, text));
                }
                RedisOutbox.exec(tx).orThrow();
            }
        }
        Operations operations = Operations.of(store);
        WakeUps.of(store).onWakeUp(() -> {}).close();
        while (!operations.backlog().isEmpty()) {
            try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 5)) {
                batch.messages().forEach(m -> {
                    switch (RedisStoreTest.text(m)) {
                        case "published" -> batch.markPublished(m, null);
                        case "failed" -> {
                            if (m.attempts() == 0) {
                                batch.markFailed(m, "no", Duration.ofHours(1));
                            } else {
                                batch.markPublished(m, null);
                            }
                        }
                        default -> batch.deadLetter(m, "no");
                    }
                });
            }
            operations.failingPartitions().forEach(p -> operations.retryNow(p.topic(), p.partition()));
        }
        List<String> dead = operations.deadLetters(RedisStoreTest.TOPIC, null, 10).stream()
                .map(letter -> letter.message().id())
                .toList();
        assertTrue(operations.deadLetter(dead.get(0)).isPresent());
        assertEquals(1, operations.redrive(dead.subList(0, 1)));
        assertEquals(2, operations.discard(dead.subList(1, 3)));
        assertEquals(List.of("dead"), RedisStoreTest.publishAll(store, 5));
    }

    /** With a key of its own, made for the test. */
    @Test
    void aServerWithTlsIsTrustedOrRefused(@TempDir Path directory) throws Exception {
        Path store = directory.resolve("server.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-keyalg",
                        "EC",
                        "-alias",
                        "server",
                        "-dname",
                        "CN=outbox",
                        "-ext",
                        "SAN=ip:127.0.0.1",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        SECRET)
                .inheritIO()
                .start();
        assertTrue(keytool.waitFor(2, TimeUnit.MINUTES) && keytool.exitValue() == 0, "keytool");
        KeyStore keys = KeyStore.getInstance(store.toFile(), SECRET.toCharArray());
        Key key = keys.getKey("server", SECRET.toCharArray());
        Path keyFile = pem(directory.resolve("key.pem"), "PRIVATE KEY", key.getEncoded());
        Path certificate = pem(
                directory.resolve("cert.pem"),
                "CERTIFICATE",
                keys.getCertificate("server").getEncoded());
        try (RedisServer tls = RedisServer.packaged(
                "--tls-port",
                "0",
                "--tls-cert-file",
                certificate.toString(),
                "--tls-key-file",
                keyFile.toString(),
                "--tls-auth-clients",
                "no")) {
            int port = Ports.free();
            try (Jedis jedis = tls.connect()) {
                jedis.configSet("tls-port", Integer.toString(port));
            }
            String url = tls.url().replace("redis://", "rediss://").replaceAll(":\\d+$", ":" + port);
            assertContains("trustStore", refusal(ConfigurationException.class, url, address.options()));
            String plain = tls.url().replace("redis://", "rediss://");
            assertContains("does not speak TLS", refusal(StoreException.class, plain, address.options()));
            System.setProperty("javax.net.ssl.trustStore", store.toString());
            System.setProperty("javax.net.ssl.trustStorePassword", SECRET);
            try {
                Stores.open(url, address.options()).close();
                String otherName = url.replace("127.0.0.1", "localhost");
                assertContains(
                        "the host in the URL", refusal(ConfigurationException.class, otherName, address.options()));
            } finally {
                System.clearProperty("javax.net.ssl.trustStore");
                System.clearProperty("javax.net.ssl.trustStorePassword");
            }
        }
    }

    private static Path pem(Path file, String what, byte[] bytes) throws Exception {
        return Files.writeString(
                file,
                "-----BEGIN " + what + "-----\n"
                        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes) + "\n-----END " + what
                        + "-----\n");
    }
}
