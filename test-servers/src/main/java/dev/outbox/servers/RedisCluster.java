package dev.outbox.servers;

import dev.outbox.processes.Await;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol;

/**
 * A Redis Cluster of three masters: the one that the environment variable {@value #ENVIRONMENT} names by a URL with its
 * hosts and password, else packaged binaries. There is no container of it, because its nodes tell their addresses to
 * clients, and would tell those that only containers can reach.
 */
public final class RedisCluster implements AutoCloseable {
    /** A URL such as {@code redis://:password@host1:6379,host2:6379,host3:6379}. */
    public static final String ENVIRONMENT = "OUTBOX_TEST_REDIS_CLUSTER_URL";

    private static final int NODES = 3;
    private static final int SLOTS = 16_384;
    private static final String PASSWORD = "redis";

    private static final Shared<RedisCluster> SHARED = new Shared<>(() -> Server.first(
            "Redis",
            new Server.Source<>("environment variable " + ENVIRONMENT, RedisCluster::named),
            new Server.Source<>("packaged binaries", RedisCluster::packaged)));

    private final String url;
    private final List<RedisProcess> nodes;

    private RedisCluster(String url, List<RedisProcess> nodes) {
        this.url = url;
        this.nodes = nodes;
    }

    /**
     * The cluster of this JVM, started at the first call and stopped when the JVM ends. Child processes are given its
     * URL.
     *
     * @throws IllegalStateException if there is no way to one, with everything that was tried
     */
    public static RedisCluster shared() {
        return SHARED.get();
    }

    /** A packaged cluster of one's own, which can be harmed; to be closed. */
    public static RedisCluster packaged() throws IOException {
        List<RedisProcess> nodes = new ArrayList<>();
        int[] busPorts = new int[NODES];
        try {
            for (int i = 0; i < NODES; i++) {
                busPorts[i] = Ports.free();
                nodes.add(RedisProcess.start(
                        PASSWORD,
                        List.of(
                                "--cluster-enabled",
                                "yes",
                                "--cluster-config-file",
                                "nodes.conf",
                                "--cluster-port",
                                Integer.toString(busPorts[i]),
                                "--cluster-node-timeout",
                                "2000",
                                "--save",
                                "")));
            }
            for (int i = 0; i < NODES; i++) {
                try (Jedis node = nodes.get(i).connect()) {
                    node.clusterAddSlotsRange(SLOTS * i / NODES, SLOTS * (i + 1) / NODES - 1);
                    node.sendCommand(
                            Protocol.Command.CLUSTER,
                            "MEET",
                            "127.0.0.1",
                            Integer.toString(nodes.get(0).port()),
                            Integer.toString(busPorts[0]));
                }
            }
            long deadline = System.nanoTime() + Await.PATIENCE.toNanos();
            for (RedisProcess node : nodes) {
                while (!isReady(node)) {
                    if (System.nanoTime() - deadline > 0) {
                        throw new IllegalStateException("The nodes of the cluster did not find each other in 30 s");
                    }
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
                }
            }
        } catch (IOException | RuntimeException e) {
            nodes.forEach(RedisProcess::stop);
            throw e;
        }
        StringBuilder url = new StringBuilder("redis://:" + PASSWORD + "@");
        for (RedisProcess node : nodes) {
            url.append(node == nodes.get(0) ? "" : ",").append("127.0.0.1:").append(node.port());
        }
        return new RedisCluster(url.toString(), nodes);
    }

    /** The URL, with password and all nodes; any JVM can use it. */
    public String url() {
        return url;
    }

    /** A connection to one of the nodes of a packaged cluster, by its number from 0; to be closed. */
    public Jedis connect(int node) {
        return nodes.get(node).connect();
    }

    /** The port of a node of a packaged cluster. */
    public int port(int node) {
        return nodes.get(node).port();
    }

    /** What nodes of a packaged cluster demand. */
    public String password() {
        return PASSWORD;
    }

    /** How many nodes a packaged cluster has. */
    public int size() {
        return nodes.size();
    }

    @Override
    public void close() {
        nodes.forEach(RedisProcess::stop);
    }

    private static RedisCluster named() throws Server.UnsetException {
        String url = Named.url(ENVIRONMENT);
        int next = url.indexOf(',', url.lastIndexOf('@') + 1);
        try (Jedis first = new Jedis(URI.create(next < 0 ? url : url.substring(0, next)))) {
            if (!first.clusterInfo().contains("cluster_state:ok")) {
                throw new IllegalStateException("its cluster_state is not ok");
            }
        } catch (RuntimeException e) {
            throw new Server.NamedException(ENVIRONMENT, e);
        }
        return new RedisCluster(url, List.of());
    }

    private static boolean isReady(RedisProcess node) {
        try (Jedis jedis = node.connect()) {
            String info = jedis.clusterInfo();
            return info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:" + NODES);
        }
    }
}
