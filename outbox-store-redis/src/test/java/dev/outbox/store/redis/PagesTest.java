package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Browsing;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;

/** What a page asks the server for, and what it makes of a server that does not answer. */
@Tag("redis")
@Timeout(300)
class PagesTest {
    private static final int TAGS = 3;
    private static final String USER = "lists";
    private static final StoreOptions OPTIONS = StoreOptions.defaults().with(RedisOutbox.LEASE, Duration.ofHours(1));

    private final TestAddress address = TestAddress.fresh(RedisServer.shared().url());
    private final RedisClient client = address.client();

    @AfterEach
    void drop() {
        try (client;
                Jedis server = RedisServer.shared().connect()) {
            server.aclDelUser(USER);
            TestAddress.drop(server.getConnection(), address.prefix());
            for (int tag = 0; tag < TAGS; tag++) {
                TestAddress.drop(server.getConnection(), address.prefix().replace("}", "-" + tag + "}"));
            }
        }
    }

    private void commit(RedisOutbox.Named outbox, int partition, int count, int bytes) {
        try (AbstractTransaction tx = client.multi()) {
            PersistFunc persist = outbox.withoutWakeUps().persist(tx);
            for (int i = 0; i < count; i++) {
                byte[] payload = new byte[bytes];
                persist.persist(new OutgoingMessage(RedisStoreTest.TOPIC, partition, null, Map.of(), payload));
            }
            RedisOutbox.exec(tx).orThrow();
        }
    }

    private static List<Integer> partitions(Browsing.Page page) {
        return page.messages().stream().map(each -> each.message().partition()).toList();
    }

    /** A page of many portions asks every key space once which partitions it has. */
    @Test
    void aPageAsksForThePartitionsOnce() {
        RedisOutbox.Named outbox = address.outbox().spread(TAGS);
        List<Integer> expected = new ArrayList<>();
        for (int partition = 0; partition < 8; partition++) {
            commit(outbox, partition, 100, 10);
            commit(outbox, partition, 2, 1 << 20);
            for (int i = 0; i < 102; i++) {
                expected.add(partition);
            }
        }
        try (Store store = outbox.store(client, OPTIONS);
                Jedis server = RedisServer.shared().connect()) {
            Browsing browsing = Browsing.of(store);
            server.configResetStat();
            Browsing.Page page = browsing.pending(RedisStoreTest.TOPIC, null, null, 1_000);
            String stats = server.info("commandstats");
            assertTrue(ManyPartitionsTest.calls("zrange", stats) <= TAGS, stats);
            assertTrue(ManyPartitionsTest.calls("info", stats) <= TAGS, stats);
            List<Integer> listed = new ArrayList<>(partitions(page));
            while (page.next() != null) {
                page = browsing.pending(RedisStoreTest.TOPIC, null, page.next(), 7);
                listed.addAll(partitions(page));
            }
            assertEquals(expected, listed);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"xlen", "xrange", "hget", "zrange"})
    void aPageThatMayNotBeReadIsNotEmpty(String command) {
        try (Jedis server = RedisServer.shared().connect()) {
            server.aclSetUser(USER, "on", ">secret", "~*", "&*", "+@all");
            TestAddress limited = new TestAddress(
                    address.url().replaceAll("//(.*@)?", "//" + USER + ":secret@"), address.prefix(), null);
            commit(address.outbox(), 0, 1, 10);
            try (RedisClient other = limited.client();
                    Store store = limited.outbox().store(other, OPTIONS)) {
                Browsing browsing = Browsing.of(store);
                assertEquals(1, page(browsing).messages().size());
                server.aclSetUser(USER, "-" + command);
                assertThrows(OutboxException.class, () -> page(browsing));
                server.aclSetUser(USER, "+" + command);
                assertEquals(1, page(browsing).messages().size());
            }
        }
    }

    private static Browsing.Page page(Browsing browsing) {
        return browsing.pending(RedisStoreTest.TOPIC, null, null, 10);
    }

    /** Another program has put something else where its messages or its attempts should be. */
    @ParameterizedTest
    @ValueSource(strings = {"messages", "attempts"})
    void aPartitionOfSpoiltKeysHidesNoOther(String key) {
        RedisOutbox.Named outbox = address.outbox();
        for (int partition = 0; partition < 3; partition++) {
            commit(outbox, partition, 5, 10);
        }
        String spoilt = address.prefix() + ":" + key + ":" + RedisStoreTest.TOPIC + "#1";
        client.del(spoilt);
        client.set(spoilt, "text");
        int shown = key.equals("messages") ? 0 : 5;
        try (Store store = outbox.store(client, OPTIONS)) {
            List<Integer> listed = partitions(Browsing.of(store).pending(RedisStoreTest.TOPIC, null, null, 100));
            assertEquals(
                    IntStream.range(0, 10 + shown)
                            .mapToObj(i -> i < 5 ? 0 : i < 5 + shown ? 1 : 2)
                            .toList(),
                    listed);
        }
    }
}
