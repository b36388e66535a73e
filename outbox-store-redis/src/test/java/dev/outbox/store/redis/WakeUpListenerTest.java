package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.WakeUps;
import dev.outbox.servers.RedisServer;
import dev.outbox.servers.StandardError;
import dev.outbox.servers.TcpProxy;
import java.net.URI;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.ClientKillParams;

/** Wake-ups go on for as long as the server is there, and nobody takes the connection for idle. */
@Tag("redis")
@Timeout(300)
class WakeUpListenerTest {
    private final String channel = "wake-" + UUID.randomUUID();
    private final AtomicInteger calls = new AtomicInteger();
    private final Jedis server = RedisServer.shared().connect();

    @AfterEach
    void disconnect() {
        server.aclDelUser("listener");
        server.close();
    }

    private WakeUpListener wakeUpListener(RedisClient client) {
        return new WakeUpListener(RedisClientAdapter.of(client), channel, Duration.ofMillis(20));
    }

    private void expectWakeUp() {
        int before = calls.get();
        Load.await(
                () -> {
                    server.publish(channel, "");
                    return calls.get() > before;
                },
                "a wake-up");
    }

    /** What the server knows of who listens. */
    private String subscriber() {
        return server.clientList()
                .lines()
                .filter(line -> line.contains(" sub=1 ") && line.contains("name=" + channel))
                .findFirst()
                .orElse("");
    }

    private static String id(String client) {
        return client.replaceAll("^id=(\\d+) .*", "$1");
    }

    /** Whether the connection was there. */
    private boolean closes(String client) {
        return !client.isEmpty()
                && server.clientKill(ClientKillParams.clientKillParams().id(id(client))) == 1;
    }

    private RedisClient client(String url) {
        return RedisClient.builder()
                .hostAndPort(HostAndPort.from(URI.create(url).getAuthority().replaceAll(".*@", "")))
                .clientConfig(DefaultJedisClientConfig.builder(URI.create(url))
                        .clientName(channel)
                        .build())
                .build();
    }

    @Test
    void aConnectionThatOnlyListensIsPinged() {
        try (RedisClient client = client(RedisServer.shared().url());
                WakeUpListener wakeUpListener = wakeUpListener(client)) {
            wakeUpListener.add(calls::incrementAndGet);
            Load.await(() -> subscriber().contains(" cmd=ping "), "a ping");
            expectWakeUp();
            // A busy machine may answer a ping too late, and then there is another connection.
            Load.await(() -> closes(subscriber()), "a connection that was closed");
            expectWakeUp();
            Load.await(() -> subscriber().contains(" cmd=ping "), "a ping on the next connection");
        }
    }

    @Test
    void theLogSaysThatWakeUpsFailAndThatTheyWorkAgain() {
        try (RedisClient client = client(RedisServer.shared().url());
                WakeUpListener wakeUpListener =
                        new WakeUpListener(RedisClientAdapter.of(client), channel, Duration.ofDays(1))) {
            wakeUpListener.add(calls::incrementAndGet);
            expectWakeUp();
            String listening = subscriber();
            String said = StandardError.during(() -> {
                assertTrue(closes(listening), "a connection was closed");
                Load.await(() -> !subscriber().isEmpty() && !id(subscriber()).equals(id(listening)), "another");
                expectWakeUp();
            });
            int begins = said.indexOf("[OUTBOX-406]");
            assertTrue(begins >= 0 && said.indexOf("[OUTBOX-410] Wake-ups work again") > begins, said);
        }
    }

    /** It is not told that nobody is there any more. */
    @Test
    void aConnectionThatWasForgottenOnTheWayIsReplaced() throws Exception {
        String url = RedisServer.shared().url();
        try (TcpProxy network = TcpProxy.before(url);
                RedisClient client = client(network.route(url));
                WakeUpListener wakeUpListener = wakeUpListener(client)) {
            wakeUpListener.add(calls::incrementAndGet);
            expectWakeUp();
            network.forget();
            expectWakeUp();
        }
    }

    @Test
    void aConnectionThatWasForgottenOnTheWayDoesNotOutliveTheStore() throws Exception {
        String url = RedisServer.shared().url();
        try (TcpProxy network = TcpProxy.before(url);
                RedisClient client = client(network.route(url))) {
            WakeUpListener wakeUpListener =
                    new WakeUpListener(RedisClientAdapter.of(client), channel, Duration.ofDays(1));
            wakeUpListener.add(calls::incrementAndGet);
            expectWakeUp();
            network.forget();
            wakeUpListener.close();
            Load.await(() -> threads() == 0, "no thread listens");
            Load.await(() -> network.connections() == 0, "no connection is left");
        }
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("outbox-redis-wake-ups"))
                .count();
    }

    @Test
    void whoMayNotPingListensAllTheSame() {
        server.aclSetUser(
                "listener", "on", ">secret", "&*", "+subscribe", "+unsubscribe", "+client", "+hello", "-ping");
        String url = RedisServer.shared().url().replaceAll("//.*@", "//").replace("//", "//listener:secret@");
        try (RedisClient client = client(url);
                WakeUpListener wakeUpListener = wakeUpListener(client)) {
            wakeUpListener.add(calls::incrementAndGet);
            Load.await(() -> refusals() > 0, "a ping that is refused");
            for (int i = 0; i < 20; i++) {
                expectWakeUp();
            }
            assertEquals(1, refusals(), "pings that were refused");
            assertTrue(subscriber().contains(" cmd=subscribe "), subscriber());
        }
    }

    /** A server that is busy has not said whether it may. */
    @Test
    void aBusyServerRefusesNoPings() throws Exception {
        try (RedisServer busy = RedisServer.packaged("--lua-time-limit", "1");
                RedisClient client = client(busy.url());
                Jedis jedis = busy.connect()) {
            RedisClientAdapter adapter = RedisClientAdapter.of(client);
            assertTrue(adapter.answersPings());
            Thread script = new Thread(() -> {
                try (Jedis other = busy.connect()) {
                    assertThrows(JedisDataException.class, () -> other.eval("while true do end"));
                }
            });
            script.start();
            try {
                Load.await(
                        () -> {
                            try {
                                jedis.ping();
                                return false;
                            } catch (JedisDataException e) {
                                return true;
                            }
                        },
                        "a server that is busy");
                assertThrows(JedisDataException.class, adapter::answersPings);
            } finally {
                jedis.scriptKill();
                script.join();
            }
            assertTrue(adapter.answersPings());
        }
    }

    /** The first try was refused because of a watched key, and what told of it with it. */
    @Test
    void aTransactionThatIsTriedAgainIsToldOf() {
        TestAddress address = TestAddress.fresh(RedisServer.shared().url());
        try (RedisClient client = address.client();
                Store store = address.open();
                AbstractTransaction tx = client.transaction(false)) {
            WakeUps.of(store).onWakeUp(calls::incrementAndGet);
            String watched = address.prefix() + ":stock";
            tx.watch(watched);
            client.set(watched, "changed");
            tx.multi();
            PersistFunc persist = address.outbox().persist(tx);
            persist.persist(RedisStoreTest.message(0, "a"));
            assertInstanceOf(TransactionResult.NothingWritten.class, RedisOutbox.exec(tx));
            tx.multi();
            persist.persist(RedisStoreTest.message(0, "a"));
            int before = calls.get();
            RedisOutbox.exec(tx).orThrow();
            Load.await(() -> calls.get() > before, "a wake-up");
        }
    }

    private long refusals() {
        return server.aclLog().stream()
                .filter(entry -> entry.getUsername().equals("listener")
                        && entry.getObject().equals("ping"))
                .mapToLong(entry -> entry.getCount())
                .sum();
    }
}
