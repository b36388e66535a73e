package dev.outbox.servers;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Kafka of three nodes, each of which may be the controller; to be closed. One node at a time is killed or paused, each
 * in its turn, and the network of the first one may be cut. Used by one thread.
 */
public final class KafkaCluster extends NodesInTurn<KafkaServer> {
    private static final int NODES = 3;

    /** Nodes may talk to each other before they have read who may do what. */
    private static final String TRUST = "super.users=User:ANONYMOUS";

    private KafkaCluster(List<KafkaServer> nodes) {
        super(nodes);
    }

    /** Starts one. */
    public static KafkaCluster start() throws Exception {
        Map<Integer, Integer> controllers = new TreeMap<>();
        for (int id = 1; id <= NODES; id++) {
            controllers.put(id, Ports.free());
        }
        List<KafkaServer> nodes = new ArrayList<>();
        for (int id = 1; id <= NODES; id++) {
            nodes.add(KafkaServer.node(id, controllers, List.of(TRUST)));
        }
        KafkaCluster cluster = new KafkaCluster(nodes);
        try {
            cluster.startAll();
        } catch (Exception e) {
            cluster.close();
            throw e;
        }
        return cluster;
    }

    /** All at the same time, because none takes requests before there is a controller, which two have to elect. */
    private void startAll() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(NODES);
        try {
            List<Callable<Void>> starts = new ArrayList<>();
            for (KafkaServer node : nodes) {
                starts.add(() -> {
                    node.restart();
                    return null;
                });
            }
            for (Future<Void> start : threads.invokeAll(starts)) {
                start.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** How many nodes there are. */
    public int size() {
        return NODES;
    }

    /** Where clients connect that no fault of the network is meant for: all nodes. */
    public String direct() {
        return addresses(KafkaServer::direct);
    }

    /** Where clients connect that {@link #network} leads to the first node: all nodes. */
    public String proxied() {
        return addresses(KafkaServer::proxied);
    }

    private String addresses(Function<KafkaServer, String> address) {
        return nodes.stream().map(address).collect(Collectors.joining(","));
    }

    /** The network of the first node. */
    public TcpProxy network() {
        return nodes.get(0).network();
    }
}
