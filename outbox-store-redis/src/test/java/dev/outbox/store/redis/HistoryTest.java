package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.RedisCluster;
import dev.outbox.servers.RedisServer;
import dev.outbox.servers.TcpProxy;
import dev.outbox.tck.internal.history.History;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.MigrateParams;
import redis.clients.jedis.util.JedisClusterCRC16;

/** Writers and relays, each relay a process, go on while servers and processes are killed, paused, filled up and moved. */
@Tag("redis")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HistoryTest {
    private static final int LEASE = 2_000;

    @Test
    void serverAndRelaysAreKilled() throws Exception {
        try (RedisServer server = RedisServer.packaged()) {
            TestAddress address = TestAddress.fresh(server.url());
            try (RedisClient client = address.client();
                    Load load = new Load(address, 1, 6, LEASE, 100)) {
                for (int writer = 0; writer < 3; writer++) {
                    load.write(writer, tag -> client.multi());
                }
                RelayProcess first = load.relay(2, 20, 0);
                load.relay(2, 20, 0);
                for (int kill = 0; kill < 3; kill++) {
                    load.awaitProgress(200);
                    server.kill();
                    server.restart();
                }
                load.awaitProgress(200);
                first.kill();
                load.relay(2, 20, 0);
                load.awaitProgress(200);
                load.finish("server killed 3 times, relay once", client);
                assertTrue(
                        load.failures.get() > 0, "writers noticed the kills"); // relays try for longer than they last
            }
        }
    }

    /** Two processes of eight threads want three partitions, and in turns one of them sleeps for longer than a lease. */
    @Test
    void processesContendAndSleepBeyondTheirLeases() throws Exception {
        try (RedisServer server = RedisServer.packaged("--appendfsync", "everysec")) {
            TestAddress address = TestAddress.fresh(server.url());
            try (RedisClient client = address.client();
                    Load load = new Load(address, 1, 3, 300, 100)) {
                load.mostAhead = 60;
                RelayProcess one = load.relay(8, 3, 20);
                RelayProcess two = load.relay(8, 3, 20);
                one.awaitStart();
                two.awaitStart();
                load.write(0, tag -> client.multi());
                load.write(1, tag -> client.multi());
                RelayProcess sleeper = one;
                for (int pause = 0; pause < 4 || one.lost.get() + two.lost.get() < 4; pause++) {
                    sleeper = sleeper == one ? two : one;
                    RelayProcess awake = sleeper == one ? two : one;
                    int had = sleeper.closed.get();
                    RelayProcess asleep = sleeper;
                    Load.await(() -> asleep.closed.get() > had, "the process has had a turn");
                    sleeper.pause();
                    int before = awake.closed.get();
                    // Some of it takes longer than a lease: what the sleeper has in hand comes to the other one.
                    Load.await(() -> awake.closed.get() > before + 40, "the other process goes on");
                    sleeper.resume();
                }
                History history =
                        load.finish("2 processes of 8 threads, 3 partitions, leases of 300 ms, pauses", client);
                assertTrue(one.lost.get() + two.lost.get() >= 4, "batches that lost their hold");
                assertTrue(one.closed.get() > 60 && two.closed.get() > 60, "both had their part");
                assertTrue(history.overlappingBatches() > 100, "contention: " + history.overlappingBatches());
            }
        }
    }

    /** Messages of 10 kB are written until the server refuses; then the outbox is drained, while writers go on trying. */
    @Test
    void memoryFillsUpAndIsDrained() throws Exception {
        try (RedisServer server = RedisServer.packaged(
                "--appendfsync", "everysec", "--maxmemory", "12mb", "--maxmemory-policy", "noeviction")) {
            TestAddress address = TestAddress.fresh(server.url());
            try (RedisClient client = address.client();
                    Load load = new Load(address, 1, 4, LEASE, 10_000)) {
                load.mostAhead = Integer.MAX_VALUE;
                load.write(0, tag -> client.multi());
                load.write(1, tag -> client.multi());
                Load.await(() -> load.failures.get() > 20, "writers that are refused");
                RelayProcess relay = load.relay(2, 20, 0);
                load.relay(2, 20, 0);
                load.awaitProgress(1_000);
                int refused = load.failures.get();
                assertEquals(List.of(), List.copyOf(relay.errors), "errors of a relay while memory is full");
                load.finish("memory full, " + refused + " transactions refused", client);
            }
        }
    }

    /**
     * The replica that becomes the master has not got the last of it. What was acknowledged and had not arrived is lost, data and
     * messages together; what had been settled comes again. Everything else holds.
     */
    @Test
    void aReplicaThatLagsIsPromotedBySentinel() throws Exception {
        try (RedisServer master = RedisServer.packaged();
                TcpProxy replication = TcpProxy.before(master.url());
                RedisServer replica = RedisServer.packaged(
                        "--replicaof", "127.0.0.1 " + replication.port(), "--replica-announce-ip", "127.0.0.1");
                RedisServer sentinel = RedisServer.sentinel("shop", master)) {
            awaitReplica(replica);
            TestAddress address = TestAddress.fresh(sentinel.url());
            try (RedisSentinelClient client = address.sentinelClient();
                    Load load = new Load(address, 1, 4, LEASE, 100)) {
                load.write(0, tag -> client.multi());
                load.write(1, tag -> client.multi());
                load.relay(2, 10, 0);
                load.relay(2, 10, 0);
                load.awaitProgress(300);
                replication.stall();
                load.awaitProgress(300);
                master.kill();
                Load.await(() -> role(replica).equals("master"), "the promotion");
                replication.heal();
                load.awaitProgress(300);
                load.stopWriting();
                load.drain();
                Set<String> there = load.there(client);
                History history = load.history();
                System.out.println("history redis lagging replica promoted: " + whatWasLost(load, there));
                history.checkOnlyCommittedMessagesCame();
                history.checkMessagesAreExclusive();
                history.checkPartitionsAreExclusive();
                load.checkFirstArrivals();
            }
        }
    }

    /** What is not guaranteed is shown, and what is, asserted. */
    private static String whatWasLost(Load load, Set<String> there) {
        Set<String> settled = new HashSet<>();
        Set<String> again = new HashSet<>();
        for (History.Delivered d : load.delivered()) {
            if (d.settled() && d.closed() == History.End.OK && !settled.add(d.id())) {
                again.add(d.id());
            }
        }
        Set<String> lost = new HashSet<>();
        Set<String> kept = new HashSet<>();
        for (History.Written w : load.written()) {
            boolean isThere = there.contains(w.transaction());
            assertTrue(w.committed() != History.End.NOT_DONE || !isThere, "not executed, and there: " + w);
            if (w.committed() == History.End.OK) {
                (isThere ? kept : lost).add(w.transaction());
            }
            assertTrue(!isThere || settled.contains(w.id()), "data is there, and its message never came: " + w);
        }
        assertTrue(!lost.isEmpty(), "an acknowledged transaction that was lost");
        assertTrue(!again.isEmpty(), "a settled message that came again");
        return kept.size() + " acknowledged transactions are there with their messages, " + lost.size()
                + " were lost with theirs, " + again.size() + " settled messages came again";
    }

    /** Its lease had not arrived at the replica, and the one who takes over does not know of it. */
    @Test
    void aHoldFromBeforeAFailoverSettlesNothing() throws Exception {
        try (RedisServer master = RedisServer.packaged();
                TcpProxy replication = TcpProxy.before(master.url());
                RedisServer replica = RedisServer.packaged("--replicaof", "127.0.0.1 " + replication.port());
                RedisServer sentinel = RedisServer.sentinel("shop", master)) {
            awaitReplica(replica);
            TestAddress address = TestAddress.fresh(sentinel.url());
            StoreOptions options = StoreOptions.defaults().withPrefix(address.prefix());
            try (Store one = Stores.open(address.url(), options);
                    Store two = Stores.open(address.url(), options);
                    RedisSentinelClient client = address.sentinelClient()) {
                try (var tx = client.multi()) {
                    for (String text : List.of("1", "2", "3")) {
                        address.outbox().persist(tx).persist(RedisStoreTest.message(0, text));
                    }
                    RedisOutbox.exec(tx).orThrow();
                }
                try (Jedis server = master.connect()) {
                    Load.await(() -> server.waitReplicas(1, 500) == 1, "the replica has it");
                }
                replication.stall();
                MessageBatch stale = one.checkout(Set.of(RedisStoreTest.TOPIC), 10);
                assertEquals(List.of("1", "2", "3"), RedisStoreTest.texts(stale));
                stale.messages().forEach(m -> stale.markPublished(m, null));
                master.kill();
                Load.await(() -> role(replica).equals("master"), "the promotion");
                @Nullable MessageBatch[] found = new MessageBatch[1];
                Load.await(() -> (found[0] = batchOf(two)) != null, "the messages at the other relay");
                MessageBatch current = Objects.requireNonNull(found[0]);
                assertEquals(List.of("1", "2", "3"), RedisStoreTest.texts(current));
                assertThrows(HoldLostException.class, stale::close);
                assertTrue(current.isHeld());
                current.markPublished(current.messages().get(0), null);
                current.close();
                assertEquals(List.of("2", "3"), RedisStoreTest.publishAll(one, 10));
            }
        }
    }

    private static @Nullable MessageBatch batchOf(Store store) {
        try {
            MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 10);
            return batch.messages().isEmpty() ? null : batch;
        } catch (OutboxException e) {
            return null; // not there yet
        }
    }

    private static void awaitReplica(RedisServer replica) {
        Load.await(
                () -> {
                    try (Jedis server = replica.connect()) {
                        return server.info("replication").contains("master_link_status:up");
                    }
                },
                "the replica has caught up");
    }

    private static String role(RedisServer server) {
        try (Jedis jedis = server.connect()) {
            return jedis.info("replication").contains("role:master") ? "master" : "replica";
        } catch (JedisException e) {
            return "none";
        }
    }

    /** A slot is moved from server to server and back, key by key, while its outbox is written to and relayed. */
    @Test
    void slotsAreMoved() throws Exception {
        try (RedisCluster cluster = RedisCluster.packaged()) {
            TestAddress address = TestAddress.fresh(cluster.url());
            try (RedisClusterClient client = address.clusterClient();
                    Load load = new Load(address, 2, 4, LEASE, 100)) {
                for (int writer = 0; writer < 2; writer++) {
                    load.write(writer, tag -> {
                        client.exists(load.shop(tag)); // which makes the client learn where it is now
                        int slot = JedisClusterCRC16.getSlot(load.shop(tag));
                        return new Transaction(client.getConnectionFromSlot(slot), true, true);
                    });
                }
                load.relay(2, 10, 0);
                load.relay(2, 10, 0);
                int slot = JedisClusterCRC16.getSlot(load.shop(0));
                int moved = 0;
                for (int move = 0; move < 4; move++) {
                    load.awaitProgress(200);
                    moved += move(cluster, slot, load);
                }
                load.awaitProgress(200);
                load.finish("slot moved 4 times with " + moved + " keys", client);
                assertTrue(moved >= 4 * 4, "keys that were moved: " + moved);
                assertTrue(load.failures.get() > 0, "writers noticed");
            }
        }
    }

    /** Moves a slot to the next server, with a while in the middle in which its keys are on two. */
    private static int move(RedisCluster cluster, int slot, Load load) throws Exception {
        int from = 0;
        while (!owns(cluster, from, slot)) {
            from++;
        }
        int to = (from + 1) % cluster.size();
        int moved = 0;
        try (Jedis source = cluster.connect(from);
                Jedis target = cluster.connect(to)) {
            String sourceId = source.clusterMyId();
            String targetId = target.clusterMyId();
            target.clusterSetSlotImporting(slot, sourceId);
            source.clusterSetSlotMigrating(slot, targetId);
            for (List<String> keys = source.clusterGetKeysInSlot(slot, 100);
                    !keys.isEmpty();
                    keys = source.clusterGetKeysInSlot(slot, 100)) {
                for (String key : keys) {
                    source.migrate(
                            "127.0.0.1",
                            cluster.port(to),
                            10_000,
                            MigrateParams.migrateParams().auth(cluster.password()),
                            key);
                    moved++;
                    load.awaitWritten(20); // some of it to what is now on two servers
                }
            }
            for (int node = 0; node < cluster.size(); node++) {
                try (Jedis each = cluster.connect((to + node) % cluster.size())) {
                    each.clusterSetSlotNode(slot, targetId);
                }
            }
        }
        return moved;
    }

    private static boolean owns(RedisCluster cluster, int node, int slot) {
        try (Jedis server = cluster.connect(node)) {
            return server.clusterNodes()
                    .lines()
                    .filter(line -> line.contains("myself"))
                    .flatMap(line -> List.of(line.split(" ", -1)).stream().skip(8))
                    .filter(range -> !range.startsWith("["))
                    .map(range -> range.split("-", 2))
                    .anyMatch(range ->
                            Integer.parseInt(range[0]) <= slot && slot <= Integer.parseInt(range[range.length - 1]));
        }
    }
}
