package dev.outbox.store.redis;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.servers.RedisCluster;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.util.JedisClusterCRC16;

/** Batches on several servers, of which one does not answer. */
@Tag("redis")
@Timeout(300)
class LeaseRenewerTest {
    private static final int SPREAD = 9;
    private static final long LEASE = 2_000;

    private final TestAddress address = TestAddress.fresh(RedisCluster.shared().url());
    private final KeyNames keyNames = new KeyNames(address.prefix(), SPREAD);

    @Test
    void aServerThatDoesNotAnswerKeepsNoOtherFromRenewing() {
        for (int tries = 1; !theOtherStays(); tries++) { // on a busy machine leases of seconds end by themselves
            assertTrue(tries < 5, "the batch on the other server was lost, each time");
        }
    }

    private boolean theOtherStays() {
        boolean stays = true;
        RedisOutbox.Named outbox = address.outbox().spread(SPREAD);
        StoreOptions options = StoreOptions.defaults().with(RedisOutbox.LEASE, Duration.ofMillis(LEASE));
        try (RedisClusterClient client = address.clusterClient()) {
            for (int partition = 0; partition < SPREAD; partition++) {
                try (Transaction tx = new Transaction(connection(client, partition), true, true)) {
                    outbox.persist(tx).persist(new OutgoingMessage("orders", partition, null, Map.of(), new byte[1]));
                    RedisOutbox.exec(tx).orThrow();
                }
            }
            try (Store store = outbox.store(client, options)) {
                Map<String, MessageBatch> byServer = new HashMap<>();
                Map<String, Integer> partitions = new HashMap<>();
                while (byServer.size() < 2) {
                    MessageBatch batch = store.checkout(Set.of("orders"), 1);
                    int partition = batch.messages().get(0).partition();
                    MessageBatch before = byServer.put(server(client, partition), batch);
                    partitions.put(server(client, partition), partition);
                    if (before != null) {
                        end(before);
                    }
                }
                String silent = byServer.keySet().iterator().next();
                MessageBatch cutOff = requireNonNull(byServer.remove(silent));
                MessageBatch other = byServer.values().iterator().next();
                try (Connection connection = connection(client, partitions.getOrDefault(silent, 0))) {
                    connection.executeCommand(
                            new CommandArguments(Protocol.Command.CLIENT).addObjects("PAUSE", 4 * LEASE));
                }
                while (cutOff.isHeld()) {
                    stays &= other.isHeld();
                    LockSupport.parkNanos(1_000_000);
                }
                for (long lost = System.nanoTime();
                        System.nanoTime() - lost < TimeUnit.MILLISECONDS.toNanos(2 * LEASE); ) {
                    stays &= other.isHeld();
                    LockSupport.parkNanos(1_000_000);
                }
                end(other);
                end(cutOff);
            }
        }
        long over = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(stays ? 0 : 4 * LEASE);
        while (System.nanoTime() - over < 0) {
            LockSupport.parkNanos(10_000_000); // the server still pauses
        }
        return stays;
    }

    private static void end(MessageBatch batch) {
        try {
            batch.close();
        } catch (OutboxException e) {
            // which is for others to test
        }
    }

    private Connection connection(RedisClusterClient client, int partition) {
        return client.getConnectionFromSlot(
                JedisClusterCRC16.getSlot(keyNames.keySpace(partition).ready()));
    }

    private String server(RedisClusterClient client, int partition) {
        try (Connection connection = connection(client, partition)) {
            return Reply.text(connection.executeCommand(new CommandArguments(Protocol.Command.CLUSTER).add("MYID")));
        }
    }
}
