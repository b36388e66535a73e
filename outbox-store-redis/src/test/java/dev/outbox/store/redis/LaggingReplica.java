package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.OutboxException;
import dev.outbox.servers.RedisServer;
import dev.outbox.servers.TcpProxy;
import dev.outbox.tck.FailoverServer;
import dev.outbox.tck.WriteTransaction;
import java.io.IOException;
import java.util.UUID;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/** A master with an outbox, and a replica on the other side of a proxy, which a sentinel promotes. */
record LaggingReplica(
        RedisServer master, TcpProxy replication, RedisServer replica, RedisServer sentinel, TestAddress address)
        implements FailoverServer {
    private static final String NAME = "shop";
    private static final int MOST_MILLIS = 10_000;

    static LaggingReplica start() throws IOException {
        RedisServer master = RedisServer.packaged();
        TcpProxy replication = TcpProxy.before(master.url());
        RedisServer replica = RedisServer.packaged(
                "--replicaof", "127.0.0.1 " + replication.port(), "--replica-announce-ip", "127.0.0.1");
        Load.await(() -> isConnected(replica), "the replica has caught up");
        RedisServer sentinel = RedisServer.sentinel(NAME, master);
        try (Jedis jedis = new Jedis("127.0.0.1", sentinel.port())) {
            Load.await(() -> jedis.sentinelReplicas(NAME).size() == 1, "the sentinel knows the replica");
        }
        return new LaggingReplica(master, replication, replica, sentinel, TestAddress.fresh(sentinel.url()));
    }

    private static boolean isConnected(RedisServer replica) {
        try (Jedis jedis = replica.connect()) {
            return jedis.info("replication").contains("master_link_status:up");
        }
    }

    @Override
    public String createOutbox() {
        return address.toString();
    }

    @Override
    public boolean mayLoseWrites() {
        return true;
    }

    @Override
    public void lag() {
        try (Jedis jedis = master.connect()) {
            jedis.set("lag", ""); // the server waits for what this connection has written, and so for all before that
            assertEquals(1, jedis.waitReplicas(1, MOST_MILLIS), "replicas that have all");
        }
        replication.stall();
    }

    @Override
    public void failOver() {
        master.kill();
        Load.await(this::takesWrites, "a transaction that commits after the promotion");
    }

    @SuppressWarnings("try") // closing the transaction may throw an InterruptedException
    private boolean takesWrites() {
        try (WriteTransaction transaction = address.begin()) {
            transaction.rows().write("probe-" + UUID.randomUUID());
            transaction.commit();
            return true;
        } catch (JedisException | OutboxException e) {
            return false; // not yet
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws IOException {
        sentinel.close();
        replica.close();
        replication.close();
        master.close();
    }
}
