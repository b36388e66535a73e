package dev.outbox.servers;

import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.testcontainers.containers.GenericContainer;
import redis.clients.jedis.Jedis;

/**
 * A Redis server: the one that the environment variable {@value #ENVIRONMENT} names by a URL with its password, else a
 * container, else a packaged binary. All of them demand the password. Outboxes share it, under names of their own.
 */
public final class RedisServer implements AutoCloseable {
    /** A URL, starting {@code redis:}, whose user may do anything. */
    public static final String ENVIRONMENT = "OUTBOX_TEST_REDIS_URL";

    private static final String IMAGE = "redis:7-alpine";
    private static final int PORT = 6379;
    private static final String PASSWORD = "redis";

    /** Every write is in the log, on the disk, before it is acknowledged. */
    private static final List<String> DURABLE = List.of("--appendonly", "yes", "--appendfsync", "always", "--save", "");

    private static final Shared<RedisServer> SHARED = new Shared<>(() -> Server.first(
            "Redis",
            new Server.Source<>("environment variable " + ENVIRONMENT, RedisServer::named),
            new Server.Source<>("container " + IMAGE, () -> Server.contained(RedisServer::contained)),
            new Server.Source<>("packaged binary", RedisServer::packaged)));

    private final String url;
    private final @Nullable RedisProcess packaged;

    private RedisServer(String url, @Nullable RedisProcess packaged) {
        this.url = url;
        this.packaged = packaged;
    }

    /**
     * The server of this JVM, started at the first call and stopped when the JVM ends. Child processes are given its
     * URL and leave the server alone.
     *
     * @throws IllegalStateException if there is no way to one, with everything that was tried
     */
    public static RedisServer shared() {
        return SHARED.get();
    }

    /**
     * A packaged server of one's own, which {@link #kill} and {@link #restart} work on; to be closed. Unless told
     * otherwise it keeps what it acknowledged: every write is in its log, on the disk.
     *
     * @param configuration arguments of redis-server, as in {@code "--maxmemory", "10mb"}, that come last and so win
     */
    public static RedisServer packaged(String... configuration) throws IOException {
        List<String> all = new ArrayList<>(DURABLE);
        all.addAll(List.of(configuration));
        RedisProcess process = RedisProcess.start(PASSWORD, all);
        return new RedisServer(url("127.0.0.1", process.port()), process);
    }

    /**
     * A packaged sentinel of one's own, which promotes a replica of the master half a second after that has gone; to be
     * closed. Its URL is that of the master.
     *
     * @param name what the master is called
     */
    public static RedisServer sentinel(String name, RedisServer master) throws IOException {
        RedisProcess process = RedisProcess.startSentinel(name, master.port(), PASSWORD);
        return new RedisServer("redis://:" + PASSWORD + "@127.0.0.1:" + process.port() + "?sentinel=" + name, process);
    }

    /** The URL, password included; any JVM can use it. */
    public String url() {
        return url;
    }

    /** A connection past any outbox; to be closed. */
    public Jedis connect() {
        return new Jedis(URI.create(url));
    }

    /** The port of a packaged server. */
    public int port() {
        return requirePackaged().port();
    }

    /** Ends a packaged server as {@code kill -9} does. */
    public void kill() {
        requirePackaged().kill();
    }

    /** Starts a killed server again, with the data it had, on the port it had. */
    public void restart() throws IOException {
        requirePackaged().start();
    }

    /** Lets a packaged server stand still, until {@link #resume}. */
    public void pause() throws IOException {
        requirePackaged().signal("STOP");
    }

    /** Lets a paused server go on. */
    public void resume() throws IOException {
        requirePackaged().signal("CONT");
    }

    @Override
    public void close() {
        requirePackaged().stop();
    }

    private static RedisServer named() throws Server.UnsetException {
        RedisServer server = new RedisServer(Named.url(ENVIRONMENT), null);
        try (Jedis jedis = server.connect()) {
            jedis.ping();
        } catch (RuntimeException e) {
            throw new Server.NamedException(ENVIRONMENT, e);
        }
        return server;
    }

    @SuppressWarnings("resource") // it is removed when the JVM ends
    private static RedisServer contained() {
        GenericContainer<?> container = new GenericContainer<>(IMAGE);
        container
                .withExposedPorts(PORT)
                .withCommand(Stream.concat(Stream.of("redis-server", "--requirepass", PASSWORD), DURABLE.stream())
                        .toArray(String[]::new));
        container.start();
        return new RedisServer(url(container.getHost(), container.getMappedPort(PORT)), null);
    }

    private static String url(String host, int port) {
        return "redis://:" + PASSWORD + "@" + host + ":" + port;
    }

    private RedisProcess requirePackaged() {
        if (packaged == null) {
            throw new IllegalStateException("Only a server from RedisServer.packaged() can do that.");
        }
        return packaged;
    }
}
