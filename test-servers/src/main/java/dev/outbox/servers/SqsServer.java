package dev.outbox.servers;

import java.nio.file.Path;
import java.util.List;

/**
 * ElasticMQ of one's own, which speaks the protocol of SQS: in a JVM of its own, from the packages that Maven fetches.
 * It may be killed, paused and cut off; to be closed. It writes a message to its files before it answers. It asks for
 * no credentials. After a kill it has forgotten which messages it recognises as duplicates, and the order of messages
 * of the same millisecond.
 */
public final class SqsServer extends ProxiedServer {
    private static final Shared<SqsServer> SHARED = new Shared<>(() -> {
        try {
            return start();
        } catch (Exception e) {
            throw new IllegalStateException("No SQS to test against.", e);
        }
    });

    private final int port;

    private SqsServer(ServerJvm jvm, TcpProxy network, int port) {
        super(jvm, network);
        this.port = port;
    }

    /** The server of this JVM, started at the first call; it ends with the JVM. */
    public static SqsServer shared() {
        return SHARED.get();
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
