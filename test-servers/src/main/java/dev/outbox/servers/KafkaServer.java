package dev.outbox.servers;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.testcontainers.kafka.KafkaContainer;

/**
 * A Kafka server of one's own: one node, without ZooKeeper, in a JVM of its own, from the packages that Maven fetches.
 * It may be killed, paused and cut off; to be closed. It makes no topics by itself.
 */
public final class KafkaServer extends ProxiedServer {
    /** The user of {@link #authenticated}, and the password. */
    public static final String USER = "outbox";

    public static final String PASSWORD = "s3cret-of-outbox";

    /** Where a server is: a host, a colon, a port. */
    static final String ENVIRONMENT = "OUTBOX_TEST_KAFKA";

    private static final String IMAGE = "apache/kafka-native:4.3.1";
    private static final int PATIENCE_MILLIS = 5_000;

    private static final Shared<KafkaServer> KILLABLE = new Shared<>(() -> {
        try {
            return start();
        } catch (Exception e) {
            throw new IllegalStateException("No Kafka to test against.", e);
        }
    });

    private static final Shared<String> SHARED = new Shared<>(() -> Server.first(
            "Kafka",
            new Server.Source<>("environment variable " + ENVIRONMENT, KafkaServer::named),
            new Server.Source<>("container " + IMAGE, () -> Server.contained(KafkaServer::contained)),
            new Server.Source<>("packages", () -> killable().direct())));

    private final int direct;
    private final int authenticated;

    private KafkaServer(ServerJvm jvm, TcpProxy network, int direct, int authenticated) {
        super(jvm, network);
        this.direct = direct;
        this.authenticated = authenticated;
    }

    /**
     * Where clients connect to the server of this JVM that no test hurts: the one that the environment variable {@value
     * #ENVIRONMENT} names by host and port, else a container, else that of {@link #killable}.
     *
     * @throws IllegalStateException if there is no way to one, with everything that was tried
     */
    public static String shared() {
        return SHARED.get();
    }

    /** The server of this JVM that tests may kill, pause and cut off, one test at a time; it ends with the JVM. */
    public static KafkaServer killable() {
        return KILLABLE.get();
    }

    private static String named() throws Server.UnsetException {
        String address = Named.url(ENVIRONMENT);
        try (Socket socket = new Socket()) {
            int colon = address.lastIndexOf(':');
            socket.connect(
                    new InetSocketAddress(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1))),
                    PATIENCE_MILLIS);
            return address;
        } catch (IllegalArgumentException | IndexOutOfBoundsException | IOException e) {
            throw new Server.NamedException(ENVIRONMENT, e);
        }
    }

    @SuppressWarnings("resource") // it is removed when the JVM ends
    private static String contained() {
        KafkaContainer container = new KafkaContainer(IMAGE);
        container.withEnv("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false").start();
        return container.getBootstrapServers();
    }

    /**
     * Starts one.
     *
     * @param configuration further lines of its properties
     */
    public static KafkaServer start(String... configuration) throws Exception {
        KafkaServer server = node(1, Map.of(1, Ports.free()), List.of(configuration));
        server.restart();
        return server;
    }

    /**
     * A node that is not started yet.
     *
     * @param controllers the ports on which the nodes of the cluster elect a controller, by the ids of the nodes
     * @param configuration further lines of its properties
     */
    static KafkaServer node(int id, Map<Integer, Integer> controllers, List<String> configuration) throws IOException {
        Path directory = Files.createTempDirectory("outbox-kafka");
        int direct = Ports.free();
        int proxied = Ports.free();
        int authenticated = Ports.free();
        TcpProxy proxy = TcpProxy.before("kafka://127.0.0.1:" + proxied);
        ServerJvm jvm = new ServerJvm("kafka", "dev.outbox.kafka.server.KafkaMain", directory);
        String voters = controllers.entrySet().stream()
                .map(node -> node.getKey() + "@127.0.0.1:" + node.getValue())
                .collect(Collectors.joining(","));
        List<String> lines = new ArrayList<>(List.of(
                "process.roles=broker,controller",
                "node.id=" + id,
                "controller.quorum.voters=" + voters,
                "listeners=CONTROLLER://127.0.0.1:" + controllers.get(id) + ",DIRECT://127.0.0.1:" + direct
                        + ",PROXIED://127.0.0.1:" + proxied + ",SECURE://127.0.0.1:" + authenticated,
                "advertised.listeners=DIRECT://127.0.0.1:" + direct + ",PROXIED://127.0.0.1:" + proxy.port()
                        + ",SECURE://127.0.0.1:" + authenticated,
                "listener.security.protocol.map=CONTROLLER:PLAINTEXT,DIRECT:PLAINTEXT,PROXIED:PLAINTEXT,"
                        + "SECURE:SASL_PLAINTEXT",
                "inter.broker.listener.name=DIRECT",
                "controller.listener.names=CONTROLLER",
                "sasl.enabled.mechanisms=PLAIN",
                "listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule"
                        + " required user_" + USER + "=\"" + PASSWORD + "\";",
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "allow.everyone.if.no.acl.found=true",
                "log.dirs=" + directory.resolve("data"),
                "auto.create.topics.enable=false",
                "offsets.topic.replication.factor=1",
                "offsets.topic.num.partitions=1",
                "group.initial.rebalance.delay.ms=0",
                // The node that was killed comes back with another identity, which is refused until this is over.
                "broker.session.timeout.ms=2000",
                "broker.heartbeat.interval.ms=300",
                "num.network.threads=2",
                "num.io.threads=4",
                "log.cleaner.enable=true",
                "log.cleaner.dedupe.buffer.size=1048577"));
        lines.addAll(configuration);
        jvm.settings(lines);
        return new KafkaServer(jvm, proxy, direct, authenticated);
    }

    /** Where clients connect that no fault of the network is meant for. */
    public String direct() {
        return "127.0.0.1:" + direct;
    }

    /** Where clients connect that {@link #network} leads to the server. */
    public String proxied() {
        return "127.0.0.1:" + network().port();
    }

    /** Where clients connect that say who they are: by SASL/PLAIN, without encryption. */
    public String authenticated() {
        return "127.0.0.1:" + authenticated;
    }
}
