package dev.outbox.servers;

import dev.outbox.processes.Await;
import dev.outbox.processes.Signals;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.testcontainers.postgresql.PostgreSQLContainer;

/**
 * A PostgreSQL server: the one that the environment variable {@value #ENVIRONMENT} names by a JDBC URL with user and
 * password, else a container, else a packaged binary. All of them demand the password.
 */
public final class PostgresServer implements KillableServer {
    /** A JDBC URL whose user may create databases. */
    public static final String ENVIRONMENT = "OUTBOX_TEST_POSTGRES_URL";

    private static final String PASSWORD = "postgres";

    private static final Map<PostgresVersion, Shared<PostgresServer>> SHARED = Stream.of(PostgresVersion.values())
            .collect(Collectors.toMap(version -> version, version -> new Shared<>(() -> first(version))));

    private final Databases databases;
    private final @Nullable AutoCloseable container;
    private final @Nullable Path dataDirectory;
    private @Nullable EmbeddedPostgres packaged;

    /** How to start it again, if it was killed or goes by a clock. */
    private @Nullable Restart again;

    private PostgresServer(
            String adminUrl,
            @Nullable AutoCloseable container,
            @Nullable Path dataDirectory,
            @Nullable EmbeddedPostgres packaged) {
        this.databases = new Databases(adminUrl);
        this.container = container;
        this.dataDirectory = dataDirectory;
        this.packaged = packaged;
    }

    /**
     * The server of this JVM, started at the first call and stopped when the JVM ends. Child processes are given the
     * URLs of its databases and leave the server alone. It is of the default version, unless the environment names one:
     * that is then tested as what it is.
     *
     * @throws IllegalStateException if there is no way to one, with everything that was tried
     */
    public static PostgresServer shared() {
        return shared(PostgresVersion.V17);
    }

    /** As {@link #shared()}, but of this version: the server that the environment names counts if it is of it. */
    public static PostgresServer shared(PostgresVersion version) {
        return Objects.requireNonNull(SHARED.get(version)).get();
    }

    private static PostgresServer first(PostgresVersion version) {
        PostgresServer server = Server.first(
                version.tag(),
                new Server.Source<>("environment variable " + ENVIRONMENT, () -> named(version)),
                new Server.Source<>("container " + version.image(), () -> Server.contained(() -> contained(version))),
                new Server.Source<>("packaged binary", () -> packaged(version)));
        Runtime.getRuntime().addShutdownHook(new Thread(server::close, "stop-" + version.tag()));
        return server;
    }

    /** A packaged server of one's own, which {@link #kill} and {@link #restart} work on; to be closed. */
    public static PostgresServer packaged() throws IOException, SQLException {
        return packaged(PostgresVersion.V17);
    }

    /** The same, that goes by a clock. */
    public static PostgresServer packaged(Clock clock) throws IOException, SQLException {
        PostgresServer server = packaged();
        try {
            // The package starts its server in its own way only: so that one is ended, and started again as it was.
            server.again = server.again(clock.environment());
            server.kill();
            server.restart();
            return server;
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    private static PostgresServer packaged(PostgresVersion version) throws IOException, SQLException {
        Path data = DataDirectory.create("outbox-postgres");
        EmbeddedPostgres postgres = start(version, data, Ports.free());
        String url =
                "jdbc:postgresql://localhost:" + postgres.getPort() + "/postgres?user=postgres&password=" + PASSWORD;
        try {
            try (Connection connection = postgres.getPostgresDatabase().getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("ALTER USER postgres PASSWORD '" + PASSWORD + "'");
                // The package trusts everybody; real servers do not, and wrong passwords are to be tested too.
                Files.writeString(
                        data.resolve("pg_hba.conf"),
                        "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all ::1/128"
                                + " scram-sha-256\n");
                statement.execute("SELECT pg_reload_conf()");
            }
            return new PostgresServer(url, null, data, postgres);
        } catch (IOException | SQLException | RuntimeException e) {
            postgres.close();
            throw e;
        }
    }

    /** Makes an empty database and returns its JDBC URL, user and password included; any JVM can use it. */
    @Override
    public String newDatabase() throws SQLException {
        return databases.create();
    }

    /** Drops a database that {@link #newDatabase} made, and the connections to it. */
    public void dropDatabase(String url) throws SQLException {
        databases.drop(url, " WITH (FORCE)");
    }

    /** Kills all processes of a packaged server, as a power cut would. On Linux. */
    @Override
    public void kill() throws IOException {
        ProcessHandle postmaster = postmaster();
        if (again == null) {
            again = again(Map.of());
        }
        Signals.pause(postmaster); // or it starts a process that is not in the list and keeps the next server away
        List<ProcessHandle> processes =
                Stream.concat(Stream.of(postmaster), postmaster.descendants()).toList();
        processes.forEach(ProcessHandle::destroyForcibly);
        await("the end of the server", () -> processes.stream().allMatch(PostgresServer::hasEnded));
    }

    /** The command of the server that is running, which is quicker than the package, and whose process is ours. */
    private Restart again(Map<String, String> environment) throws IOException {
        List<String> command = new ArrayList<>(Restart.commandOf(postmaster()));
        if (System.getProperty("user.name").equals("root")) {
            command.addAll(0, List.of("unshare", "-U")); // as the package does
        }
        return new Restart(command, environment, requirePackaged(), databases);
    }

    private static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + Await.PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("Not within " + Await.PATIENCE.toSeconds() + " s: " + what);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }

    /** Whether a process has ended. The system may list it for seconds yet, until its parent asks how it ended. */
    private static boolean hasEnded(ProcessHandle process) {
        Path state = Path.of("/proc", Long.toString(process.pid()), "stat");
        try {
            // pid (name) state …
            return !process.isAlive()
                    || Files.readString(state).replaceFirst(".*\\) ", "").startsWith("Z");
        } catch (IOException e) { // it ended just now, or this is no Linux
            return !process.isAlive();
        }
    }

    /** Lets a packaged server stand still, until {@link #resume}. */
    @Override
    public void pause() throws IOException {
        Signals.pause(postmaster());
    }

    /** Lets a paused server go on. */
    @Override
    public void resume() throws IOException {
        Signals.resume(postmaster());
    }

    private ProcessHandle postmaster() throws IOException {
        return ProcessHandle.of(Long.parseLong(pidFile().get(0).trim()))
                .orElseThrow(() -> new IllegalStateException("The server is not running."));
    }

    /** Starts a killed server again, with the data it had, on the port it had. */
    @Override
    public void restart() throws IOException {
        Restart how = again;
        if (how == null) {
            throw new IllegalStateException("The server was not killed.");
        }
        long before = Long.parseLong(pidFile().get(0).trim());
        // As long as the system lists it, the next server takes it for running, and does not start.
        await(
                "the system forgets the server that was killed",
                () -> ProcessHandle.of(before).isEmpty());
        how.start();
    }

    /** The same, as a standby that has lost its primary, which it is until {@code pg_promote()}. */
    public void restartAsStandby() throws IOException {
        Files.createFile(requirePackaged().resolve("standby.signal"));
        restart();
    }

    /**
     * Makes a copy of a packaged server, which streams from it and is to be closed before it. For that, the server is
     * killed and started again.
     *
     * @param synchronous whether a commit waits until the copy has it
     */
    public PostgresStandby standby(boolean synchronous) throws Exception {
        Path data = requirePackaged();
        execute("ALTER SYSTEM SET wal_keep_size = '256MB'"); // the copy needs what was written while it was made
        Files.writeString(
                data.resolve("pg_hba.conf"),
                "host replication all 127.0.0.1/32 scram-sha-256\n",
                StandardOpenOption.APPEND);
        kill();
        return PostgresStandby.of(this, data, Objects.requireNonNull(again), synchronous);
    }

    String adminUrl() {
        return databases.adminUrl();
    }

    void execute(String sql) throws SQLException {
        databases.execute(sql);
    }

    @Override
    public synchronized void close() {
        try {
            if (packaged != null) {
                packaged.close();
                packaged = null;
                Databases.deleteTree(dataDirectory);
            }
            if (container != null) {
                container.close();
            }
        } catch (Exception e) {
            System.err.println("[test-servers] PostgreSQL did not stop: " + e);
        }
    }

    private static PostgresServer named(PostgresVersion version) throws Exception {
        String url = Databases.named(ENVIRONMENT).adminUrl();
        if (version != PostgresVersion.V17) {
            try (Connection connection = DriverManager.getConnection(url)) {
                int major = connection.getMetaData().getDatabaseMajorVersion();
                if (major != version.major()) {
                    throw new Server.UnsetException("names a server of version " + major);
                }
            }
        }
        return new PostgresServer(url, null, null, null);
    }

    private static PostgresServer contained(PostgresVersion version) {
        PostgreSQLContainer container = new PostgreSQLContainer(version.image());
        container.withCommand("postgres", "-c", "fsync=on", "-c", "max_prepared_transactions=8"); // as the packaged one
        container.start();
        String url = container.getJdbcUrl();
        url += (url.contains("?") ? "&" : "?") + "user=" + container.getUsername() + "&password="
                + container.getPassword();
        return new PostgresServer(url, container, null, null);
    }

    private static EmbeddedPostgres start(PostgresVersion version, Path data, int port) throws IOException {
        EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
                .setPgBinaryResolver(version.archive())
                .setDataDirectory(data.toFile())
                .setCleanDataDirectory(false)
                .setPort(port)
                .setPGStartupWait(Await.PATIENCE)
                .setConnectConfig("password", PASSWORD)
                // The package is set up to be fast; a server that is killed must keep what it acknowledged.
                .setServerConfig("fsync", "on")
                .setServerConfig("synchronous_commit", "on")
                // Transactions in two phases are off unless set up.
                .setServerConfig("max_prepared_transactions", "8");
        if (version.packagedMajor() >= 16) {
            // A test connects thousands of times, and deriving a key takes longer than all the rest of it.
            builder.setServerConfig("scram_iterations", "1");
        }
        return builder.start();
    }

    private List<String> pidFile() throws IOException {
        return Files.readAllLines(requirePackaged().resolve("postmaster.pid"), StandardCharsets.US_ASCII);
    }

    private Path requirePackaged() {
        if (dataDirectory == null) {
            throw new IllegalStateException("Only a server from PostgresServer.packaged() can be killed.");
        }
        return dataDirectory;
    }
}
