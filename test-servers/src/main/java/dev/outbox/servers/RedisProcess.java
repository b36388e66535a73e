package dev.outbox.servers;

import dev.outbox.processes.Await;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/** A Redis server from the package, in a directory of its own, that can be killed and started again. */
final class RedisProcess {
    private static final String VERSION = System.getProperty("outbox.test.redis.version", "7.0.15");

    private final Path directory;
    private final Path data;
    private final int port;
    private final String password;
    private final List<String> configuration;
    private @Nullable Path file;
    private @Nullable Process process;

    private RedisProcess(Path directory, Path data, int port, String password, List<String> configuration) {
        this.directory = directory;
        this.data = data;
        this.port = port;
        this.password = password;
        this.configuration = configuration;
    }

    /** Starts one on a free port. */
    static RedisProcess start(String password, List<String> configuration) throws IOException {
        RedisProcess server = unpack(password, configuration);
        server.start();
        return server;
    }

    /**
     * Starts a sentinel that fails over after half a second. It demands no password. Replicas may be connected to their
     * master by way of a proxy: it leaves them so for 20 s.
     */
    static RedisProcess startSentinel(String name, int master, String masterPassword) throws IOException {
        RedisProcess sentinel = unpack("", List.of("--sentinel"));
        Path file = sentinel.directory.resolve("sentinel.conf"); // which it writes to
        Files.write(
                file,
                List.of(
                        "sentinel monitor " + name + " 127.0.0.1 " + master + " 1",
                        "sentinel auth-pass " + name + " " + masterPassword,
                        "sentinel down-after-milliseconds " + name + " 500",
                        "sentinel failover-timeout " + name + " 20000"));
        sentinel.file = file;
        sentinel.start();
        return sentinel;
    }

    private static RedisProcess unpack(String password, List<String> configuration) throws IOException {
        Path directory = Files.createTempDirectory("outbox-redis");
        Path executable = directory.resolve("redis-server");
        String resource = "/redis-server-" + VERSION + "-" + platform();
        try (InputStream binary = RedisProcess.class.getResourceAsStream(resource)) {
            if (binary == null) {
                throw new IllegalStateException("the package has no " + resource);
            }
            Files.copy(binary, executable, StandardCopyOption.REPLACE_EXISTING);
        }
        if (!executable.toFile().setExecutable(true)) {
            throw new IllegalStateException("Cannot make " + executable + " executable");
        }
        RedisProcess server = new RedisProcess(
                directory, DataDirectory.create("outbox-redis"), Ports.free(), password, configuration);
        Runtime.getRuntime().addShutdownHook(new Thread(server::stop, "stop-redis-" + server.port));
        return server;
    }

    int port() {
        return port;
    }

    /** Starts it, again after {@link #kill}, with the data it had, on the port it had; returns when it answers. */
    void start() throws IOException {
        List<String> command =
                new ArrayList<>(List.of(directory.resolve("redis-server").toString()));
        if (file != null) {
            command.add(file.toString());
        }
        command.addAll(List.of("--port", Integer.toString(port), "--bind", "127.0.0.1", "--dir", data.toString()));
        if (!password.isEmpty()) {
            command.addAll(List.of("--requirepass", password, "--masterauth", password));
        }
        command.addAll(configuration);
        Process started = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
                .start();
        process = started;
        long deadline = System.nanoTime() + Await.PATIENCE.toNanos();
        while (true) {
            try (Jedis jedis = connect()) {
                jedis.ping();
                return;
            } catch (JedisConnectionException | JedisDataException e) { // not there yet, or still loading
                if (!started.isAlive() || System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("redis-server does not answer: " + tail(), e);
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            }
        }
    }

    Jedis connect() {
        DefaultJedisClientConfig.Builder config = DefaultJedisClientConfig.builder();
        if (!password.isEmpty()) {
            config.password(password);
        }
        return new Jedis(new HostAndPort("127.0.0.1", port), config.build());
    }

    void kill() {
        Process running = process;
        if (running != null) {
            running.destroyForcibly()
                    .onExit()
                    .orTimeout(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS)
                    .join();
        }
    }

    /** Stops the process where it stands, or lets it go on. */
    void signal(String name) throws IOException {
        Process running = process;
        if (running == null) {
            throw new IllegalStateException("The server is not running.");
        }
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(running.pid())).start();
        if (kill.onExit()
                        .orTimeout(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS)
                        .join()
                        .exitValue()
                != 0) {
            throw new IllegalStateException("kill -" + name + " failed");
        }
    }

    synchronized void stop() {
        kill();
        try {
            Databases.deleteTree(data);
            Databases.deleteTree(directory);
        } catch (IOException | UncheckedIOException e) {
            System.err.println("[test-servers] Redis left files behind: " + e);
        }
    }

    private Path log() {
        return directory.resolve("log");
    }

    private String tail() throws IOException {
        List<String> lines = Files.readAllLines(log());
        return String.join(" / ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
    }

    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch").equals("aarch64") ? "arm64" : System.getProperty("os.arch");
        return (os.startsWith("mac") ? "darwin" : os) + "-" + (arch.equals("x86_64") ? "amd64" : arch);
    }
}
