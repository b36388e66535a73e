package dev.outbox.servers;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A Kafka server of one's own: one node, without ZooKeeper, in a JVM of its own, from the packages that Maven fetches.
 * It may be killed, paused and cut off; to be closed. It makes no topics by itself.
 */
public final class KafkaServer extends ProxiedServer {
    /** The user of {@link #authenticated}, and the password. */
    public static final String USER = "outbox";

    public static final String PASSWORD = "s3cret-of-outbox";

    /** The id of the node. */
    public static final int NODE = 1;

    private final int direct;
    private final int authenticated;

    private KafkaServer(ServerJvm jvm, TcpProxy network, int direct, int authenticated) {
        super(jvm, network);
        this.direct = direct;
        this.authenticated = authenticated;
    }

    /**
     * Starts one.
     *
     * @param configuration further lines of its properties
     */
    public static KafkaServer start(String... configuration) throws Exception {
        Path directory = Files.createTempDirectory("outbox-kafka");
        int controller = Ports.free();
        int direct = Ports.free();
        int proxied = Ports.free();
        int authenticated = Ports.free();
        TcpProxy proxy = TcpProxy.before("kafka://127.0.0.1:" + proxied);
        ServerJvm jvm = new ServerJvm("kafka", "dev.outbox.kafka.server.KafkaMain", directory);
        KafkaServer server = new KafkaServer(jvm, proxy, direct, authenticated);
        List<String> lines = new ArrayList<>(List.of(
                "process.roles=broker,controller",
                "node.id=" + NODE,
                "controller.quorum.voters=" + NODE + "@127.0.0.1:" + controller,
                "listeners=CONTROLLER://127.0.0.1:" + controller + ",DIRECT://127.0.0.1:" + direct
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
        lines.addAll(List.of(configuration));
        jvm.settings(lines);
        server.restart();
        return server;
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
