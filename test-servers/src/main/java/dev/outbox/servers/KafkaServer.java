package dev.outbox.servers;

import dev.outbox.processes.Await;
import dev.outbox.processes.Signals;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A Kafka server of one's own: one node, without ZooKeeper, in a JVM of its own, from the packages that Maven fetches.
 * It may be killed, paused and cut off; to be closed. It makes no topics by itself.
 */
public final class KafkaServer implements AutoCloseable {
    /** The user of {@link #authenticated}, and the password. */
    public static final String USER = "outbox";

    public static final String PASSWORD = "s3cret-of-outbox";

    private static final String MAIN = "dev.outbox.kafka.server.KafkaMain";

    private final Path directory;
    private final Path properties;
    private final int direct;
    private final int authenticated;
    private final TcpProxy proxy;
    private @Nullable Process process;

    private KafkaServer(Path directory, int direct, int authenticated, TcpProxy proxy) {
        this.directory = directory;
        this.properties = directory.resolve("server.properties");
        this.direct = direct;
        this.authenticated = authenticated;
        this.proxy = proxy;
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
        KafkaServer server = new KafkaServer(directory, direct, authenticated, proxy);
        List<String> lines = new ArrayList<>(List.of(
                "process.roles=broker,controller",
                "node.id=1",
                "controller.quorum.voters=1@127.0.0.1:" + controller,
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
        Files.write(server.properties, lines);
        Runtime.getRuntime().addShutdownHook(new Thread(server::kill, "stop-kafka-" + direct));
        server.restart();
        return server;
    }

    /** Where clients connect that no fault of the network is meant for. */
    public String direct() {
        return "127.0.0.1:" + direct;
    }

    /** Where clients connect that {@link #network} leads to the server. */
    public String proxied() {
        return "127.0.0.1:" + proxy.port();
    }

    /** Where clients connect that say who they are: by SASL/PLAIN, without encryption. */
    public String authenticated() {
        return "127.0.0.1:" + authenticated;
    }

    /** The network of {@link #proxied}. */
    public TcpProxy network() {
        return proxy;
    }

    /** Ends the server as {@code kill -9} does. */
    public void kill() {
        Process running = process;
        if (running != null) {
            running.destroyForcibly().onExit().orTimeout(30, TimeUnit.SECONDS).join();
        }
    }

    /** Starts a killed server again, with the data it had, on the ports it had; returns when it takes requests. */
    public void restart() throws Exception {
        Path ready = Path.of(properties + ".ready");
        Files.deleteIfExists(ready);
        Path log = directory.resolve("log");
        Process started = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-cp",
                        classPath(),
                        MAIN,
                        properties.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        process = started;
        Await.until(
                "Kafka takes requests, see " + log,
                Duration.ofMinutes(2),
                () -> Files.exists(ready) || !started.isAlive());
        if (!started.isAlive()) {
            throw new IllegalStateException("Kafka did not start: " + new Commands(log).tail());
        }
    }

    /** Lets the server stand still, until {@link #resume}. */
    public void pause() throws IOException {
        Signals.pause(running().toHandle());
    }

    /** Lets a paused server go on. */
    public void resume() throws IOException {
        Signals.resume(running().toHandle());
    }

    private Process running() {
        Process running = process;
        if (running == null) {
            throw new IllegalStateException("The server is not running.");
        }
        return running;
    }

    @Override
    public void close() throws IOException {
        kill();
        proxy.close();
    }

    /** The class path of the server, which is not that of this JVM: clients of another version may be on it. */
    private static String classPath() throws IOException {
        URL list = KafkaServer.class.getResource("/kafka-server.classpath");
        if (list == null) {
            throw new IllegalStateException("The module test-kafka is not on the class path.");
        }
        try (InputStream in = list.openStream()) {
            return home()
                    + System.getProperty("path.separator")
                    + new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }

    /** The folder or the jar with the main class. */
    private static Path home() {
        try {
            return Path.of(Class.forName(MAIN, false, KafkaServer.class.getClassLoader())
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (ClassNotFoundException | URISyntaxException e) {
            throw new IllegalStateException("The module test-kafka is not on the class path.", e);
        }
    }
}
