package dev.outbox.servers;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.testcontainers.containers.GenericContainer;

/**
 * ElasticMQ of one's own, which speaks the protocol of SQS: in a JVM of its own, from the packages that Maven fetches.
 * It may be killed, paused and cut off; to be closed. It writes a message to its files before it answers. It asks for
 * no credentials. After a kill it has forgotten which messages it recognises as duplicates, and the order of messages
 * of the same millisecond.
 */
public final class SqsServer extends ProxiedServer {
    /** A URL, starting {@code http:}, of a server that asks for no credentials. */
    static final String ENVIRONMENT = "OUTBOX_TEST_SQS_URL";

    private static final String IMAGE = "softwaremill/elasticmq-native:1.7.1";
    private static final int PORT = 9324;
    private static final byte[] GREETING = "GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private static final Shared<SqsServer> KILLABLE = new Shared<>(() -> {
        try {
            return start();
        } catch (Exception e) {
            throw new IllegalStateException("No SQS to test against.", e);
        }
    });

    private static final Shared<String> SHARED = new Shared<>(() -> Server.first(
            "SQS",
            new Server.Source<>("environment variable " + ENVIRONMENT, SqsServer::named),
            new Server.Source<>("container " + IMAGE, () -> Server.contained(SqsServer::contained)),
            new Server.Source<>("packages", () -> killable().url())));

    private final int port;

    private SqsServer(ServerJvm jvm, TcpProxy network, int port) {
        super(jvm, network);
        this.port = port;
    }

    /**
     * The URL of the server of this JVM that no test hurts: the one that the environment variable {@value #ENVIRONMENT}
     * names, else a container, else that of {@link #killable}.
     *
     * @throws IllegalStateException if there is no way to one, with everything that was tried
     */
    public static String shared() {
        return SHARED.get();
    }

    /** The server of this JVM that tests may kill, pause and cut off, one test at a time; it ends with the JVM. */
    public static SqsServer killable() {
        return KILLABLE.get();
    }

    private static String named() throws Server.UnsetException {
        String url = Named.url(ENVIRONMENT);
        try {
            URI uri = URI.create(url);
            Greeting.exchange(uri.getHost(), uri.getPort() < 0 ? PORT : uri.getPort(), GREETING);
        } catch (IllegalArgumentException | IOException e) {
            throw new Server.NamedException(ENVIRONMENT, e);
        }
        return url;
    }

    @SuppressWarnings("resource") // it is removed when the JVM ends
    private static String contained() {
        GenericContainer<?> container = new GenericContainer<>(IMAGE);
        container.withExposedPorts(PORT).start();
        return "http://" + container.getHost() + ":" + container.getMappedPort(PORT);
    }

    /** Starts one. */
    public static SqsServer start() throws Exception {
        Path directory = DataDirectory.create("outbox-sqs");
        int port = Ports.free();
        ServerJvm jvm = new ServerJvm("sqs", "dev.outbox.sqs.server.SqsMain", directory);
        jvm.settings(List.of(
                "rest-sqs.bind-hostname=127.0.0.1",
                "rest-sqs.bind-port=" + port,
                "node-address.host=127.0.0.1",
                "node-address.port=" + port,
                "messages-storage.enabled=true",
                // By default H2 answers half a second before it has written.
                "messages-storage.uri=jdbc:h2:file:" + directory.resolve("data") + ";WRITE_DELAY=0"));
        SqsServer server = new SqsServer(jvm, TcpProxy.before("http://127.0.0.1:" + port), port);
        server.restart();
        return server;
    }

    /** Where clients connect that no fault of the network is meant for. */
    public String url() {
        return "http://127.0.0.1:" + port;
    }

    /** Where clients connect that {@link #network} leads to the server. */
    public String proxied() {
        return network().route(url());
    }
}
