package dev.outbox.nats;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.OutboxHeaders;
import dev.outbox.publisher.tck.BrokerFault;
import dev.outbox.publisher.tck.PublisherHarness;
import dev.outbox.publisher.tck.ReceivedMessage;
import dev.outbox.servers.NatsServer;
import dev.outbox.servers.TcpProxy;
import io.nats.client.Connection;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.Nats;
import io.nats.client.api.DiscardPolicy;
import io.nats.client.api.MessageInfo;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A stream for each destination, on a server that may be killed. */
@SuppressWarnings("try") // closing may be interrupted
final class NatsHarness implements PublisherHarness {
    private static final Duration WINDOW = Duration.ofMinutes(20);

    private final NatsServer server = NatsServer.packaged(settings(""));
    private final TcpProxy proxy = TcpProxy.before(server.url());
    private int made;

    NatsHarness() throws IOException, InterruptedException {}

    private static String[] settings(String denied) {
        String deny = denied.isEmpty() ? "" : ", permissions: { publish: { deny: \"" + denied + "\" } }";
        return new String[] {
            "max_payload: 200000",
            "authorization: { users: [",
            "  { user: admin, password: s3cret-of-the-admin },",
            "  { user: publisher, password: s3cret-of-the-publisher" + deny + " } ] }"
        };
    }

    @Override
    public String createDestination() throws Exception {
        String name = "tck-" + ++made;
        with(streams -> streams.addStream(stream(name, -1)));
        return name;
    }

    private static StreamConfiguration stream(String name, long maxMessages) {
        return StreamConfiguration.builder()
                .name(name)
                .subjects(name + ".>")
                .storageType(StorageType.File)
                .duplicateWindow(WINDOW)
                .discardPolicy(DiscardPolicy.New)
                .maxMessages(maxMessages)
                .build();
    }

    @Override
    public AsyncBrokerPublisher<String> open(String destination) {
        return NatsPublisher.<String>builder(
                        proxy.route(server.url()).replace("//", "//publisher:s3cret-of-the-publisher@"))
                .stream(destination)
                .subject(destination + ".orders")
                .ackTimeout(Duration.ofSeconds(3))
                .build();
    }

    @Override
    public List<ReceivedMessage> received(String destination) throws Exception {
        List<ReceivedMessage> all = new ArrayList<>();
        with(streams -> {
            long last = streams.getStreamInfo(destination).getStreamState().getLastSequence();
            for (long i = 1; i <= last; i++) {
                all.add(message(streams.getMessage(destination, i)));
            }
        });
        return all;
    }

    private static ReceivedMessage message(MessageInfo stored) {
        Map<String, String> headers = new HashMap<>();
        stored.getHeaders().forEach((name, values) -> headers.put(name, NatsHeaders.decode(values.get(0))));
        byte[] data = stored.getData();
        return new ReceivedMessage(
                stored.getSubject(),
                headers.get(OutboxHeaders.KEY),
                headers,
                data == null ? new byte[0] : data,
                String.valueOf(headers.get("Nats-Msg-Id")));
    }

    @Override
    public AutoCloseable cause(BrokerFault fault, String destination) throws Exception {
        switch (fault) {
            case KILLED -> {
                server.kill();
                return server::restart;
            }
            case PAUSED -> {
                server.pause();
                return server::resume;
            }
            case CUT_OFF -> {
                proxy.refuse();
                return proxy::heal;
            }
            case FULL -> {
                with(streams -> streams.updateStream(stream(
                        destination,
                        streams.getStreamInfo(destination).getStreamState().getMsgCount())));
                return () -> with(streams -> streams.updateStream(stream(destination, -1)));
            }
            case MISSING -> {
                with(streams -> streams.deleteStream(destination));
                return () -> with(streams -> streams.addStream(stream(destination, -1)));
            }
            case FORBIDDEN -> {
                server.reconfigure(settings(destination + ".>"));
                return () -> server.reconfigure(settings(""));
            }
            default -> throw new IllegalArgumentException("a fault that is not known here: " + fault);
        }
    }

    @Override
    public int refusedSize() {
        return 200_000; // and headers
    }

    @Override
    public Set<String> secrets() {
        return Set.of("s3cret-of-the-publisher");
    }

    @Override
    public boolean brokerSpeaksFirst() {
        return true;
    }

    @Override
    public int inFlight() {
        return 8;
    }

    @Override
    public void removeDestination(String destination) throws Exception {
        with(streams -> streams.deleteStream(destination));
    }

    private void with(Use use) throws Exception {
        try (Connection connection = Nats.connect(server.url().replace("//", "//admin:s3cret-of-the-admin@"))) {
            use.of(connection.jetStreamManagement());
        }
    }

    @FunctionalInterface
    private interface Use {
        void of(JetStreamManagement streams) throws IOException, JetStreamApiException;
    }

    @Override
    public void close() throws IOException {
        proxy.close();
        server.close();
    }
}
