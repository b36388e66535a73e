package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Browsing;
import dev.outbox.Holders;
import dev.outbox.MessageBatch;
import dev.outbox.PendingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.commons.pool2.PooledObject;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionFactory;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.providers.PooledConnectionProvider;

/**
 * However many partitions are ready, and whatever the limit is: a checkout ends, fills its batch, serves everybody in turn, and
 * asks the server a number of times that grows with the logarithm at most.
 */
@Tag("redis")
@Timeout(300)
class ManyPartitionsTest {
    /** An hour, so that no lease is renewed while round trips are counted. */
    private static final StoreOptions OPTIONS = StoreOptions.defaults().with(RedisOutbox.LEASE, Duration.ofHours(1));

    private final TestAddress address = TestAddress.fresh(RedisServer.shared().url());
    private final RedisClient client = address.client();

    @AfterEach
    void drop() {
        try (client;
                Jedis server = RedisServer.shared().connect()) {
            TestAddress.drop(server.getConnection(), address.prefix());
        }
    }

    private Store open() {
        return address.outbox().store(client, OPTIONS);
    }

    private void commit(int partitions, int each) {
        // A server under load carries a transaction of tens of thousands out in more time than a client waits.
        int atOnce = 2_000 / each;
        for (int first = 0; first < partitions; first += atOnce) {
            try (AbstractTransaction tx = client.multi()) {
                PersistFunc persist = address.outbox().withoutWakeUps().persist(tx);
                for (int partition = first; partition < Math.min(partitions, first + atOnce); partition++) {
                    for (int i = 0; i < each; i++) {
                        persist.persist(RedisStoreTest.message(partition, "m" + i));
                    }
                }
                RedisOutbox.exec(tx).orThrow();
            }
        }
    }

    /** Every round trip takes a connection out of the pool. */
    private List<PersistedMessage> publish(Store store, int limit, int partitions) {
        long before = client.getPool().getBorrowedCount();
        List<PersistedMessage> messages;
        try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), limit)) {
            messages = batch.messages();
            messages.forEach(m -> batch.markPublished(m, null));
        }
        long roundTrips = client.getPool().getBorrowedCount() - before;
        assertTrue(
                roundTrips <= most(partitions),
                roundTrips + " round trips for " + partitions + " partitions and a limit of " + limit);
        return messages;
    }

    private static long most(int partitions) {
        return 8 + 2L * (Integer.SIZE - Integer.numberOfLeadingZeros(partitions));
    }

    @ParameterizedTest
    @CsvSource({
        "1,1",
        "1,100",
        "2,3",
        "9,10",
        "10,10",
        "10,9",
        "99,100",
        "99,1000",
        "100,100",
        "101,100",
        "169,100",
        "170,100",
        "196,100",
        "196,197",
        "199,200",
        "200,2000",
        "201,202",
        "201,2000",
        "500,100",
        "1050,2000",
        "10000,2000"
    })
    void everyBatchIsFull(int partitions, int limit) {
        commit(partitions, 1);
        try (Store store = open()) {
            Set<Integer> served = new HashSet<>();
            while (served.size() < partitions) {
                List<PersistedMessage> messages = publish(store, limit, partitions);
                int left = partitions - served.size();
                assertEquals(Math.min(Math.min(limit, Checkout.MOST_PARTITIONS), left), messages.size());
                messages.forEach(m -> assertTrue(served.add(m.partition()), "served twice"));
            }
            assertEquals(List.of(), publish(store, limit, partitions));
        }
    }

    /** Some have exactly their share, some less, some more. */
    @ParameterizedTest
    @CsvSource({"7,100", "64,100", "64,1000", "150,2000"})
    void whatSomeLeaveOthersGet(int partitions, int limit) {
        int total = 0;
        for (int partition = 0; partition < partitions; partition++) {
            int count = 1 + partition * partition % 40;
            total += count;
            try (AbstractTransaction tx = client.multi()) {
                PersistFunc persist = address.outbox().withoutWakeUps().persist(tx);
                for (int i = 0; i < count; i++) {
                    persist.persist(RedisStoreTest.message(partition, "m" + i));
                }
                RedisOutbox.exec(tx).orThrow();
            }
        }
        try (Store store = open()) {
            for (int left = total; left > 0; ) {
                List<PersistedMessage> messages = publish(store, limit, partitions);
                assertEquals(Math.min(limit, left), messages.size());
                left -= messages.size();
            }
        }
    }

    /** A backlog that does not get smaller: what is served goes to the end. */
    @ParameterizedTest
    @CsvSource({"3,1", "170,1", "170,100", "600,100", "600,1000", "2500,500", "2500,2000"})
    void everybodyIsServedInTurn(int partitions, int limit) {
        commit(partitions, 40);
        try (Store store = open()) {
            Map<Integer, Integer> served = new HashMap<>();
            int batches = 0;
            // Which are looked at first is drawn by lot, so that those behind the first thousand may have to wait.
            int enough = 4 * (partitions + 1) / (int) Math.ceil(Math.sqrt(Math.min(partitions, limit))) + 4;
            while (served.size() < partitions) {
                assertTrue(++batches <= enough, served.size() + " of " + partitions + " after " + batches);
                publish(store, limit, partitions).forEach(m -> served.merge(m.partition(), 1, Integer::sum));
            }
        }
    }

    /** Alone and with room for all, all have a place in every batch. */
    @Test
    void aloneAllHaveAPlace() {
        commit(150, 10);
        try (Store store = open()) {
            for (int i = 0; i < 5; i++) {
                List<PersistedMessage> messages = publish(store, 151, 150);
                assertEquals(151, messages.size());
                assertEquals(150, partitions(messages).size());
            }
        }
    }

    /** What was found before is gone, held or delayed when it is asked for. */
    @ParameterizedTest
    @CsvSource({"300,1", "300,100", "2000,7"})
    void whatIsNotReadyAnyMoreIsPassedOver(int partitions, int limit) {
        commit(partitions, 2);
        try (Store one = open();
                Store two = open()) {
            Set<Integer> served = partitions(publish(one, limit, partitions));
            List<MessageBatch> held = new ArrayList<>();
            int count = 0;
            for (MessageBatch batch = two.checkout(Set.of(RedisStoreTest.TOPIC), 2_000);
                    !batch.messages().isEmpty();
                    batch = two.checkout(Set.of(RedisStoreTest.TOPIC), 2_000)) {
                MessageBatch each = batch;
                switch (count++ % 3) {
                    case 0 -> batch.messages().forEach(m -> each.markPublished(m, null));
                    case 1 -> batch.messages().forEach(m -> each.markFailed(m, "away", Duration.ofDays(1)));
                    default -> held.add(batch);
                }
                if (!held.contains(batch)) {
                    batch.close();
                }
            }
            assertFalse(served.isEmpty());
            assertEquals(List.of(), publish(one, limit, partitions));
            commit(1, 1);
            int free = partitions + 1;
            try (AbstractTransaction tx = client.multi()) {
                address.outbox().persist(tx).persist(RedisStoreTest.message(free, "new"));
                RedisOutbox.exec(tx).orThrow();
            }
            assertTrue(partitions(publish(one, limit, partitions)).contains(free) || limit == 1);
            held.forEach(MessageBatch::close);
        }
    }

    /** A page asks for the lengths of some partitions and for as many messages as it has, whatever waits. */
    @Test
    void aPageReadsNoOtherMessages() {
        commit(1, 2_000);
        commit(1_000, 2);
        try (Store store = open();
                Jedis server = RedisServer.shared().connect()) {
            Browsing browsing = Browsing.of(store);
            String next =
                    browsing.pending(RedisStoreTest.TOPIC, null, null, 1_950).next();
            server.configResetStat();
            long before = client.getPool().getBorrowedCount();
            Browsing.Page page = browsing.pending(RedisStoreTest.TOPIC, null, next, 100);
            long roundTrips = client.getPool().getBorrowedCount() - before;
            String stats = server.info("commandstats");
            assertEquals(100, page.messages().size());
            assertTrue(roundTrips <= 15, roundTrips + " round trips");
            assertFalse(stats.contains("cmdstat_scan:") || stats.contains("cmdstat_keys:"), stats);
            int shown = partitions(page.messages().stream()
                            .map(PendingMessage::message)
                            .toList())
                    .size();
            assertTrue(calls("xrange", stats) <= 101 + shown, stats); // and the head of each, which may be failing
            assertTrue(calls("xlen", stats) <= 200, stats);
            Holders holders = Holders.of(store);
            try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 1_000)) {
                assertFalse(batch.messages().isEmpty());
                server.configResetStat();
                assertEquals(
                        partitions(batch.messages()).size(), holders.holders().size());
                stats = server.info("commandstats");
                assertFalse(stats.contains("cmdstat_scan:") || stats.contains("cmdstat_keys:"), stats);
            }
        }
    }

    /** What relays settle after a page has asked for lengths leaves it room for more of the last partition. */
    @Test
    void aPageHidesNothingThoughMessagesAreSettledWhileItIsRead() {
        try (AbstractTransaction tx = client.multi()) {
            PersistFunc persist = address.outbox().withoutWakeUps().persist(tx);
            for (int i = 0; i < 53; i++) {
                persist.persist(RedisStoreTest.message(i < 3 ? 1 : 2, "m" + i));
            }
            RedisOutbox.exec(tx).orThrow();
        }
        AtomicBoolean reads = new AtomicBoolean();
        AtomicBoolean settled = new AtomicBoolean();
        RedisUrl server = RedisUrl.parse(RedisServer.shared().url());
        JedisClientConfig login = DefaultJedisClientConfig.builder()
                .user(server.user())
                .password(server.password())
                .build();
        try (Jedis direct = RedisServer.shared().connect();
                RedisClient others = RedisClient.builder()
                        .connectionProvider(new PooledConnectionProvider(
                                new ConnectionFactory(server.hosts().iterator().next(), login) {
                                    @Override
                                    public void activateObject(PooledObject<Connection> connection) throws Exception {
                                        if (reads.get()
                                                && calls("xlen", direct.info("commandstats")) > 0
                                                && settled.compareAndSet(false, true)) {
                                            trim(direct, 3);
                                        }
                                        super.activateObject(connection);
                                    }
                                }))
                        .build();
                Store store = address.outbox().store(others, OPTIONS)) {
            direct.configResetStat();
            reads.set(true);
            Browsing.Page page = Browsing.of(store).pending(RedisStoreTest.TOPIC, null, null, 100);
            assertTrue(settled.get());
            assertEquals(50, page.messages().size());
        }
    }

    /** Takes all messages out of the partitions that have so many. */
    private void trim(Jedis server, int length) {
        server.keys(address.prefix() + "*").stream()
                .filter(key -> server.type(key).equals("stream") && server.xlen(key) == length)
                .forEach(key -> server.xtrim(key, 0, false));
    }

    static int calls(String command, String stats) {
        return stats.lines()
                .filter(line -> line.startsWith("cmdstat_" + command + ":calls="))
                .mapToInt(line -> Integer.parseInt(line.substring(line.indexOf('=') + 1, line.indexOf(','))))
                .findFirst()
                .orElse(0);
    }

    private static Set<Integer> partitions(List<PersistedMessage> messages) {
        Set<Integer> partitions = new HashSet<>();
        messages.forEach(m -> partitions.add(m.partition()));
        return partitions;
    }
}
