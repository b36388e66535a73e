package dev.outbox.servers;

import dev.outbox.processes.Await;
import dev.outbox.processes.Signals;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.MountableFile;

/**
 * A NATS server with JetStream: the one that the environment variable {@value #ENVIRONMENT} names by a URL, else a
 * container, else the program that is on the path, else that of Debian's package, which is unpacked and not installed.
 */
public final class NatsServer implements Killable {
    /** A URL, starting {@code nats:}, of a server with JetStream. */
    public static final String ENVIRONMENT = "OUTBOX_TEST_NATS_URL";

    private static final String IMAGE = "nats:2-alpine";
    private static final int PORT = 4222;
    private static final DebianPackages PACKAGE = new DebianPackages("nats", "");

    private static final Shared<NatsServer> SHARED = new Shared<>(() -> Server.first(
            "NATS",
            new Server.Source<>("environment variable " + ENVIRONMENT, NatsServer::named),
            new Server.Source<>("container " + IMAGE, () -> Server.contained(NatsServer::contained)),
            new Server.Source<>("packaged binary", NatsServer::packaged)));

    private final String url;
    private final @Nullable Node packaged;

    private NatsServer(String url, @Nullable Node packaged) {
        this.url = url;
        this.packaged = packaged;
    }

    /**
     * The server of this JVM, started at the first call and stopped when the JVM ends.
     *
     * @throws IllegalStateException if there is no way to one, with everything that was tried
     */
    public static NatsServer shared() {
        return SHARED.get();
    }

    /**
     * A packaged server of one's own, which may be killed and paused; to be closed.
     *
     * @param configuration lines of its file, after those that switch JetStream on and say where it listens
     */
    public static NatsServer packaged(String... configuration) throws IOException, InterruptedException {
        Node node = new Node(configuration);
        try {
            node.start();
        } catch (IOException | InterruptedException | RuntimeException e) {
            node.stop();
            throw e;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(node::stop, "stop-nats-" + node.port));
        return new NatsServer("nats://127.0.0.1:" + node.port, node);
    }

    /** The URL; any JVM can use it. Users that the configuration of a packaged server has are not in it. */
    public String url() {
        return url;
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

    /**
     * Gives a packaged server another configuration, which it reads while it runs: lines of its file, after those that
     * switch JetStream on and say where it listens.
     */
    public void reconfigure(String... configuration) throws IOException {
        requirePackaged().reconfigure(configuration);
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

    private static NatsServer named() throws Server.UnsetException {
        String url = Named.url(ENVIRONMENT);
        try {
            URI uri = URI.create(url);
            Greeting.exchange(uri.getHost(), uri.getPort() < 0 ? PORT : uri.getPort());
        } catch (IllegalArgumentException | IOException e) {
            throw new Server.NamedException(ENVIRONMENT, e);
        }
        return new NatsServer(url, null);
    }

    @SuppressWarnings("resource") // it is removed when the JVM ends
    private static NatsServer contained() throws IOException {
        Path settings = Files.writeString(Files.createTempFile("outbox-nats", ".conf"), "jetstream {}\n");
        GenericContainer<?> container = new GenericContainer<>(IMAGE);
        container
                .withCopyFileToContainer(MountableFile.forHostPath(settings), "/etc/nats/nats-server.conf")
                .withExposedPorts(PORT);
        container.start();
        return new NatsServer("nats://" + container.getHost() + ":" + container.getMappedPort(PORT), null);
    }

    private Node requirePackaged() {
        if (packaged == null) {
            throw new IllegalStateException("Only a server from NatsServer.packaged() can do that.");
        }
        return packaged;
    }

    private static final class Node {
        final int port = Ports.free();
        private final Path directory = Files.createTempDirectory("outbox-nats");
        private final Commands commands = new Commands(directory.resolve("log"));
        private final List<String> command;

        // Guarded by this.
        private @Nullable Process process;
        private boolean stopped;

        Node(String... configuration) throws IOException, InterruptedException {
            Files.createFile(commands.log());
            command = List.of(
                    program(commands).toString(), "-c", write(configuration).toString());
        }

        private Path write(String... configuration) throws IOException {
            List<String> lines = new ArrayList<>(List.of(
                    "listen: \"127.0.0.1:" + port + "\"",
                    "jetstream: { store_dir: \"" + directory.resolve("data") + "\" }"));
            lines.addAll(List.of(configuration));
            return Files.write(directory.resolve("settings"), lines);
        }

        synchronized void reconfigure(String... configuration) throws IOException {
            write(configuration);
            long before = reloads();
            Process hangup =
                    new ProcessBuilder("kill", "-HUP", Long.toString(running().pid())).start();
            hangup.onExit()
                    .orTimeout(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS)
                    .join();
            long deadline = System.nanoTime() + Await.PATIENCE.toNanos();
            while (reloads() == before) {
                if (System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("nats-server has not read its settings: " + commands.tail());
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
            }
        }

        private long reloads() throws IOException {
            return Files.readAllLines(commands.log()).stream()
                    .filter(line -> line.contains("Reloaded server configuration"))
                    .count();
        }

        private static Path program(Commands commands) throws IOException, InterruptedException {
            for (String folder : System.getenv("PATH").split(File.pathSeparator, -1)) {
                Path program = Path.of(folder, "nats-server");
                if (Files.isExecutable(program)) {
                    return program;
                }
            }
            return PACKAGE.unpacked(List.of("nats-server"), commands).resolve("usr/sbin/nats-server");
        }

        synchronized void start() throws IOException, InterruptedException {
            if (stopped) {
                throw new IllegalStateException("The server is closed.");
            }
            process = commands.start("", command);
            Greeting.await("nats-server", process, commands, port);
        }

        synchronized ProcessHandle running() {
            if (process == null) {
                throw new IllegalStateException("The server is not running.");
            }
            return process.toHandle();
        }

        synchronized void kill() {
            if (process != null) {
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
            try {
                Databases.deleteTree(directory);
            } catch (IOException | UncheckedIOException e) {
                System.err.println("[test-servers] NATS left files behind: " + e);
            }
        }
    }
}
