package dev.outbox.histories.brokers;

import dev.outbox.OutboxHeaders;
import dev.outbox.processes.Await;
import dev.outbox.servers.Killable;
import dev.outbox.servers.NatsCluster;
import dev.outbox.servers.NatsServer;
import io.nats.client.Connection;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.Nats;
import io.nats.client.api.ClusterInfo;
import io.nats.client.api.MessageInfo;
import io.nats.client.api.StreamConfiguration;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** NATS, with a stream. */
@SuppressWarnings("try") // closing a connection may be interrupted
final class NatsBroker extends Broker {
    private static final String NAME = "history";

    /** Of all servers, past the network. */
    private final String urls;

    private final String address;
    private final int nodes;

    /** One server. */
    NatsBroker(NatsServer server) throws Exception {
        this(server, server.url(), "", 1);
    }

    /** All servers keep the stream, and two of them must have a message before it counts as taken. */
    NatsBroker(NatsCluster cluster) throws Exception {
        this(cluster, cluster.url(0), "," + cluster.url(1) + "," + cluster.url(2), 3);
    }

    private NatsBroker(Killable server, String first, String others, int nodes) throws Exception {
        super(server, first);
        this.urls = first + others;
        this.address = route(first) + others;
        this.nodes = nodes;
        StreamConfiguration stream = StreamConfiguration.builder()
                .name(NAME)
                .subjects(NAME)
                .replicas(nodes)
                .build();
        Await.until("the stream is made", () -> isDone(streams -> streams.addStream(stream) != null));
        awaitWhole();
    }

    private interface Question {
        boolean of(JetStreamManagement streams) throws IOException, JetStreamApiException;
    }

    /** False also if the servers cannot say for now, because they elect a leader. */
    private boolean isDone(Question question) throws InterruptedException {
        try (Connection connection = Nats.connect(urls)) {
            return question.of(connection.jetStreamManagement());
        } catch (IOException | JetStreamApiException e) {
            return false;
        }
    }

    @Override
    String address() {
        int inFlight = nodes == 1 ? 4 : 1; // another leader may miss a message and take later ones
        return "nats " + address + " " + NAME + " " + inFlight;
    }

    /** The others go on without the server first. The next fault meets a cluster that is whole. */
    @Override
    void restart() throws Exception {
        awaitOthers();
        super.restart();
        awaitWhole();
    }

    @Override
    void resume() throws Exception {
        awaitOthers();
        super.resume();
        awaitWhole();
    }

    private void awaitOthers() throws Exception {
        if (nodes > 1) {
            long[] before = new long[1];
            Await.until("there is a leader", () -> isDone(streams -> (before[0] = last(streams)) > 0));
            Await.until("messages arrive without the server", () -> isDone(streams -> last(streams) > before[0] + 100));
        }
    }

    private void awaitWhole() throws Exception {
        if (nodes > 1) {
            Await.until(
                    "all servers have the stream",
                    () -> isDone(streams -> {
                        ClusterInfo cluster = streams.getStreamInfo(NAME).getClusterInfo();
                        return cluster.getReplicas().size() == nodes - 1
                                && cluster.getReplicas().stream()
                                        .allMatch(replica -> replica.isCurrent() && !replica.isOffline());
                    }));
        }
    }

    private static long last(JetStreamManagement streams) throws IOException, JetStreamApiException {
        return streams.getStreamInfo(NAME).getStreamState().getLastSequence();
    }

    @Override
    List<Arrival> arrivals() throws Exception {
        List<Arrival> arrivals = new ArrayList<>();
        try (Connection connection = Nats.connect(urls)) {
            JetStreamManagement streams = connection.jetStreamManagement();
            long last = last(streams);
            for (long i = 1; i <= last; i++) {
                MessageInfo stored = streams.getMessage(NAME, i);
                byte[] data = stored.getData();
                arrivals.add(new Arrival(
                        new String(data == null ? new byte[0] : data, StandardCharsets.UTF_8),
                        String.valueOf(stored.getHeaders().getFirst(OutboxHeaders.KEY)),
                        Long.parseLong(String.valueOf(stored.getHeaders().getFirst(Publishers.SENT)))));
            }
        }
        return arrivals;
    }
}
