package dev.outbox.servers;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Three packaged servers of NATS that keep streams together; to be closed. One at a time is killed or paused, each in
 * its turn. Used by one thread.
 */
public final class NatsCluster extends NodesInTurn<NatsServer> {
    private static final int NODES = 3;

    private NatsCluster(List<NatsServer> nodes) {
        super(nodes);
    }

    /** Starts one; it may take no streams yet. */
    public static NatsCluster start() throws IOException, InterruptedException {
        List<Integer> ports = new ArrayList<>();
        for (int i = 0; i < NODES; i++) {
            ports.add(Ports.free());
        }
        String routes = ports.stream()
                .map(port -> "\"nats://127.0.0.1:" + port + "\"")
                .collect(Collectors.joining(", ", "[", "]"));
        NatsCluster cluster = new NatsCluster(new ArrayList<>());
        try {
            for (int i = 0; i < NODES; i++) {
                cluster.nodes.add(NatsServer.packaged(
                        "server_name: \"node-" + i + "\"",
                        // Clients use the addresses that they are given, past which no fault of the network could be.
                        "cluster: { name: \"outbox\", no_advertise: true, listen: \"127.0.0.1:" + ports.get(i)
                                + "\", routes: " + routes + " }"));
            }
        } catch (IOException | InterruptedException | RuntimeException e) {
            cluster.close();
            throw e;
        }
        return cluster;
    }

    /** The URL of a server, of which the first is 0. */
    public String url(int node) {
        return nodes.get(node).url();
    }
}
