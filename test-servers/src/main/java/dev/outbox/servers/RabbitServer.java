package dev.outbox.servers;

import dev.outbox.processes.Await;
import dev.outbox.processes.Signals;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.containers.GenericContainer;

/**
 * A RabbitMQ server: the one that the environment variable {@value #ENVIRONMENT} names by a URL with user and password,
 * else a container, else that of Debian's packages, which are unpacked and not installed.
 */
public final class RabbitServer implements Killable {
    /** A URL, starting {@code amqp:}, whose user may configure, write and read everything. */
    public static final String ENVIRONMENT = "OUTBOX_TEST_RABBITMQ_URL";

    /** The largest message that a packaged server takes, in bytes; the limit of a release is much higher. */
    public static final int PACKAGED_MAX_MESSAGE_SIZE = 150_000;

    private static final String IMAGE = "rabbitmq:4-alpine";
    private static final int PORT = 5672;
    private static final byte[] GREETING = {'A', 'M', 'Q', 'P', 0, 0, 9, 1};

    private static final DebianPackages PACKAGES = new DebianPackages("rabbitmq", "");
    private static final Libraries LIBRARIES = new Libraries(
            Map.of(
                    "libcrypto", "libssl3",
                    "libtinfo", "libtinfo6",
                    "libsystemd", "libsystemd0",
                    "libstdc++", "libstdc++6",
                    "libz", "zlib1g"),
            new DebianPackages("rabbitmq-libraries", ""));

    /** Erlang comes in many packages. These are the ones without which the server does not start. */
    private static final List<String> NAMES = List.of(
            "rabbitmq-server",
            "erlang-asn1",
            "erlang-base",
            "erlang-crypto",
            "erlang-eldap",
            "erlang-inets",
            "erlang-mnesia",
            "erlang-os-mon",
            "erlang-parsetools",
            "erlang-public-key",
            "erlang-runtime-tools",
            "erlang-ssl",
            "erlang-syntax-tools",
            "erlang-tools",
            "erlang-xmerl");

    private static final Shared<RabbitServer> SHARED = new Shared<>(() -> Server.first(
            "RabbitMQ",
            new Server.Source<>("environment variable " + ENVIRONMENT, RabbitServer::named),
            new Server.Source<>("container " + IMAGE, () -> Server.contained(RabbitServer::contained)),
            new Server.Source<>("packaged binary", RabbitServer::packaged)));

    private static final Shared<RabbitServer> KILLABLE = new Shared<>(() -> {
        try {
            RabbitServer server = shared();
            return server.packaged == null ? packaged() : server;
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    });

    private final String url;
    private final @Nullable Node packaged;
    private final @Nullable GenericContainer<?> container;

    private RabbitServer(String url, @Nullable Node packaged, @Nullable GenericContainer<?> container) {
        this.url = url;
        this.packaged = packaged;
        this.container = container;
    }

    /**
     * The server of this JVM, started at the first call and stopped when the JVM ends.
     *
     * @throws IllegalStateException if there is no way to one, with everything that was tried
     */
    public static RabbitServer shared() {
        return SHARED.get();
    }

    /** A packaged server of one's own, which may be killed, paused and controlled; to be closed. */
    public static RabbitServer packaged() throws IOException, InterruptedException {
        Node node = new Node();
        try {
            node.start();
        } catch (IOException | InterruptedException | RuntimeException e) {
            node.stop();
            throw e;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(node::stop, "stop-rabbitmq-" + node.port));
        return new RabbitServer("amqp://guest:guest@127.0.0.1:" + node.port + "/%2F", node, null);
    }

    /**
     * A packaged server that the tests of this JVM share, and that they may kill, pause and control, one test at a
     * time. It is the shared one if that is packaged.
     */
    public static RabbitServer killable() {
        return KILLABLE.get();
    }

    /** The URL, user and password included; any JVM can use it. */
    public String url() {
        return url;
    }

    /**
     * Runs {@code rabbitmqctl}, and returns what it says.
     *
     * @throws IllegalStateException if it fails, and for a server that was named
     */
    public String control(String... arguments) throws IOException, InterruptedException {
        if (container != null) {
            ExecResult result = container.execInContainer(Stream.concat(Stream.of("rabbitmqctl"), Stream.of(arguments))
                    .toArray(String[]::new));
            if (result.getExitCode() != 0) {
                throw new IllegalStateException("rabbitmqctl failed: " + result.getStderr());
            }
            return result.getStdout();
        }
        return requirePackaged().control(arguments);
    }

    /** Ends a packaged server as {@code kill -9} does. */
    @Override
    public void kill() {
        requirePackaged().kill();
    }

    /** Starts a killed server again, with the data it had, on the port it had. */
    @Override
    public void restart() throws IOException, InterruptedException {
        requirePackaged().start();
    }

    /** Lets a packaged server stand still, until {@link #resume}. */
    @Override
    public void pause() throws IOException {
        Signals.pause(requirePackaged().running());
    }

    /** Lets a paused server go on. */
    @Override
    public void resume() throws IOException {
        Signals.resume(requirePackaged().running());
    }

    @Override
    public void close() {
        requirePackaged().stop();
    }

    private static RabbitServer named() throws Server.UnsetException {
        String url = Named.url(ENVIRONMENT);
        try {
            URI uri = URI.create(url);
            Greeting.exchange(uri.getHost(), uri.getPort() < 0 ? PORT : uri.getPort(), GREETING);
        } catch (IllegalArgumentException | IOException e) {
            throw new Server.NamedException(ENVIRONMENT, e);
        }
        return new RabbitServer(url, null, null);
    }

    @SuppressWarnings("resource") // it is removed when the JVM ends
    private static RabbitServer contained() {
        GenericContainer<?> container = new GenericContainer<>(IMAGE);
        // The user guest may come from the machine itself only.
        container
                .withEnv("RABBITMQ_DEFAULT_USER", "outbox")
                .withEnv("RABBITMQ_DEFAULT_PASS", "outbox")
                .withExposedPorts(PORT);
        container.start();
        String address = container.getHost() + ":" + container.getMappedPort(PORT);
        return new RabbitServer("amqp://outbox:outbox@" + address + "/%2F", null, container);
    }

    private Node requirePackaged() {
        if (packaged == null) {
            throw new IllegalStateException("Only a server from RabbitServer.packaged() can do that.");
        }
        return packaged;
    }

    /** The processes: RabbitMQ's, and the one by which nodes of Erlang find each other. */
    private static final class Node {
        final int port = Ports.free();
        private final Path directory = Files.createTempDirectory("outbox-rabbitmq");
        private final Commands commands = new Commands(directory.resolve("log"));
        private final Path programs;
        private final Map<String, String> environment;
        private final String libraries;
        private final Process portMapper;

        // Guarded by this.
        private @Nullable Process process;
        private boolean stopped;

        Node() throws IOException, InterruptedException {
            Files.createFile(commands.log());
            Path root = PACKAGES.unpacked(NAMES, commands);
            programs = first(root.resolve("usr/lib/rabbitmq/lib"), "rabbitmq_server-*")
                    .resolve("sbin");
            Path erlang = root.resolve("usr/lib/erlang");
            Path binaries = first(erlang, "erts-*").resolve("bin");
            Path crypto = first(erlang.resolve("lib"), "crypto-*").resolve("priv/lib/crypto.so");
            libraries = Stream.of(
                            LIBRARIES.pathFor(binaries.resolve("beam.smp"), commands),
                            LIBRARIES.pathFor(crypto, commands))
                    .filter(path -> !path.isEmpty())
                    .distinct()
                    .collect(Collectors.joining(":"));
            int mapperPort = Ports.free();
            environment = Map.ofEntries(
                    Map.entry("PATH", erl(erlang, binaries) + ":" + System.getenv("PATH")),
                    Map.entry("HOME", directory.toString()),
                    Map.entry("ERL_EPMD_PORT", Integer.toString(mapperPort)),
                    Map.entry("ERL_EPMD_ADDRESS", "127.0.0.1"),
                    Map.entry("RABBITMQ_NODENAME", "outbox@localhost"),
                    Map.entry("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1"),
                    Map.entry("RABBITMQ_NODE_PORT", Integer.toString(port)),
                    Map.entry("RABBITMQ_DIST_PORT", Integer.toString(Ports.free())),
                    Map.entry("RABBITMQ_MNESIA_BASE", Files.createDirectory(directory.resolve("data")) + ""),
                    Map.entry("RABBITMQ_LOG_BASE", Files.createDirectory(directory.resolve("logs")) + ""),
                    Map.entry(
                            "RABBITMQ_ENABLED_PLUGINS_FILE",
                            Files.writeString(directory.resolve("plugins"), "[].") + ""),
                    Map.entry("RABBITMQ_CONF_ENV_FILE", "/dev/null"),
                    Map.entry(
                            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                            "-kernel inet_dist_use_interface {127,0,0,1} -rabbit max_message_size "
                                    + PACKAGED_MAX_MESSAGE_SIZE));
            portMapper = commands.start(
                    libraries,
                    List.of(
                            binaries.resolve("epmd").toString(),
                            "-address",
                            "127.0.0.1",
                            "-port",
                            Integer.toString(mapperPort)));
        }

        /** Erlang's own script knows only the folder that it is installed to. */
        private Path erl(Path erlang, Path binaries) throws IOException {
            Path folder = Files.createDirectory(directory.resolve("bin"));
            Path script = Files.writeString(
                    folder.resolve("erl"),
                    String.join(
                            "\n",
                            "#!/bin/sh",
                            "export ROOTDIR=" + erlang + " BINDIR=" + binaries + " EMU=beam PROGNAME=erl",
                            "exec \"$BINDIR/erlexec\" \"$@\"",
                            ""));
            if (!script.toFile().setExecutable(true)) {
                throw new IOException("Cannot make " + script + " executable");
            }
            return folder;
        }

        private static Path first(Path folder, String pattern) throws IOException {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, pattern)) {
                for (Path file : files) {
                    return file;
                }
            }
            throw new IOException("no " + pattern + " in " + folder);
        }

        synchronized void start() throws IOException, InterruptedException {
            if (stopped) {
                throw new IllegalStateException("The server is closed.");
            }
            process = commands.start(
                    libraries, List.of(programs.resolve("rabbitmq-server").toString()), environment);
            Greeting.await("rabbitmq-server", process, commands, port, GREETING);
        }

        String control(String... arguments) throws IOException, InterruptedException {
            List<String> command = new ArrayList<>();
            command.add(programs.resolve("rabbitmqctl").toString());
            command.addAll(List.of(arguments));
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().putAll(environment);
            if (!libraries.isEmpty()) {
                builder.environment().put("LD_LIBRARY_PATH", libraries);
            }
            Process rabbitmqctl = builder.start();
            String said = new String(rabbitmqctl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!rabbitmqctl.waitFor(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS) || rabbitmqctl.exitValue() != 0) {
                rabbitmqctl.destroyForcibly();
                throw new IllegalStateException("rabbitmqctl failed: " + said);
            }
            return said;
        }

        synchronized ProcessHandle running() {
            if (process == null) {
                throw new IllegalStateException("The server is not running.");
            }
            return process.toHandle();
        }

        synchronized void kill() {
            if (process != null) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly()
                        .onExit()
                        .orTimeout(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS)
                        .join();
            }
        }

        synchronized void stop() {
            if (stopped) {
                return;
            }
            stopped = true;
            kill();
            portMapper.destroyForcibly();
            try {
                Databases.deleteTree(directory);
            } catch (IOException | UncheckedIOException e) {
                System.err.println("[test-servers] RabbitMQ left files behind: " + e);
            }
        }
    }
}
