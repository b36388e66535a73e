package dev.outbox.servers;

import dev.outbox.processes.Await;
import dev.outbox.processes.Signals;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.testcontainers.mysql.MySQLContainer;

/**
 * A MySQL server: the one that the environment variable {@value #ENVIRONMENT} names by a JDBC URL with user and
 * password, else a container, else a packaged binary. All of them demand the password.
 */
public final class MySqlServer implements KillableServer {
    /** A JDBC URL, starting {@code jdbc:mysql:}, whose user may create databases. */
    public static final String ENVIRONMENT = "OUTBOX_TEST_MYSQL_URL";

    /** The largest payload has to fit into a packet, with what escaping adds to it. */
    static final String PACKET = "--max-allowed-packet=64M";

    /** A time zone that no machine of ours has: what takes local time for UTC is to fail. */
    static final String ZONE = "--default-time-zone=+05:30";

    private static final String IMAGE = "mysql:8.4";
    private static final String PASSWORD = "mysql";
    private static final String ARCHIVE = "/mysql-Linux-amd64.tar.gz";

    private static final Libraries LIBRARIES = new Libraries(
            Map.of("libaio", "libaio1", "libnuma", "libnuma1"), new DebianPackages("mysql-libraries", ""));

    private static final Shared<MySqlServer> SHARED = new Shared<>(() -> Server.first(
            "MySQL",
            new Server.Source<>(
                    "environment variable " + ENVIRONMENT, () -> new MySqlServer(Databases.named(ENVIRONMENT), null)),
            new Server.Source<>("container " + IMAGE, () -> Server.contained(MySqlServer::contained)),
            new Server.Source<>("packaged binary", MySqlServer::packaged)));

    /** What a packaged server was started with, to be started with again. */
    private record Launch(
            Path directory,
            Path data,
            Commands commands,
            String libraries,
            List<String> command,
            Map<String, String> environment) {
        Process start() throws IOException {
            return commands.start(libraries, command, environment);
        }
    }

    private final Databases databases;
    private final @Nullable Launch launch;
    private @Nullable Process process;

    private MySqlServer(Databases databases, @Nullable Launch launch) {
        this.databases = databases;
        this.launch = launch;
    }

    /**
     * The server of this JVM, started at the first call and stopped when the JVM ends. Child processes are given the
     * URLs of its databases and leave the server alone.
     *
     * @throws IllegalStateException if there is no way to one, with everything that was tried
     */
    public static MySqlServer shared() {
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

    private static MySqlServer contained() {
        MySQLContainer container = new MySQLContainer(IMAGE);
        container.withUsername("root").withPassword(PASSWORD).withCommand(PACKET, ZONE);
        container.start(); // removed when the JVM ends
        return new MySqlServer(new Databases(url(container.getHost(), container.getMappedPort(3306), PASSWORD)), null);
    }

    /** A packaged server of one's own, which {@link #kill} and {@link #restart} work on; to be closed. */
    public static MySqlServer packaged() throws IOException, InterruptedException, SQLException {
        return packaged(Map.of());
    }

    /** The same, that goes by a clock. */
    public static MySqlServer packaged(Clock clock) throws IOException, InterruptedException, SQLException {
        return packaged(clock.environment());
    }

    private static MySqlServer packaged(Map<String, String> environment)
            throws IOException, InterruptedException, SQLException {
        Commands.requireLinuxOnAmd64();
        Path directory = Files.createTempDirectory("outbox-mysql");
        Path home = Files.createDirectory(directory.resolve("home"));
        Path data = DataDirectory.create("outbox-mysql");
        Path archive = directory.resolve("mysql.tar.gz");
        try (InputStream resource = MySqlServer.class.getResourceAsStream(ARCHIVE)) {
            if (resource == null) {
                throw new IllegalStateException("no resource " + ARCHIVE + " on the class path");
            }
            Files.copy(resource, archive, StandardCopyOption.REPLACE_EXISTING);
        }
        Commands commands = new Commands(directory.resolve("log"));
        commands.run(directory, "tar", "-xzf", archive.toString(), "-C", home.toString());
        Files.delete(archive);
        List<String> command = List.of(
                home.resolve("bin/mysqld").toString(),
                "--no-defaults",
                "--user=" + System.getProperty("user.name"),
                "--basedir=" + home,
                "--datadir=" + data,
                "--tmpdir=" + Files.createDirectory(directory.resolve("tmp")), // where it deletes what others have
                "--lc-messages-dir=" + home.resolve("share"),
                "--innodb-use-native-aio=OFF");
        String libraries = LIBRARIES.pathFor(home.resolve("bin/mysqld"), commands);
        List<String> initializing = new ArrayList<>(command);
        initializing.add("--initialize-insecure");
        commands.await(commands.start(libraries, initializing), "mysqld --initialize-insecure");
        int port = Ports.free();
        List<String> serving = new ArrayList<>(command);
        serving.addAll(List.of(
                "--port=" + port,
                "--bind-address=127.0.0.1",
                "--mysqlx=OFF",
                "--log-bin=binlog", // as it is where nothing is set, and needed for what is promised about crashes
                "--socket=" + directory.resolve("socket"),
                "--pid-file=" + directory.resolve("pid"),
                PACKET,
                ZONE));
        MySqlServer server = new MySqlServer(
                new Databases(url("127.0.0.1", port, PASSWORD)),
                new Launch(directory, data, commands, libraries, serving, environment));
        Runtime.getRuntime().addShutdownHook(new Thread(server::close, "stop-mysql"));
        try {
            server.launch(
                    new Databases(url("127.0.0.1", port, "")),
                    "ALTER USER root@localhost IDENTIFIED BY '" + PASSWORD + "'");
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
        return server;
    }

    /** Kills a packaged server, as a power cut would. */
    @Override
    public synchronized void kill() {
        running()
                .destroyForcibly()
                .onExit()
                .orTimeout(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .join();
    }

    /** Starts a killed server again, with the data it had, on the port it had. */
    @Override
    public void restart() throws IOException {
        launch(databases, "SELECT 1");
    }

    /** Lets a packaged server stand still, until {@link #resume}. */
    @Override
    public void pause() throws IOException {
        Signals.pause(running().toHandle());
    }

    /** Lets a paused server go on. */
    @Override
    public void resume() throws IOException {
        Signals.resume(running().toHandle());
    }

    private synchronized Process running() {
        requirePackaged();
        Process running = process;
        if (running == null || !running.isAlive()) {
            throw new IllegalStateException("The server is not running.");
        }
        return running;
    }

    @Override
    public synchronized void close() {
        if (launch == null) {
            return;
        }
        if (process != null) {
            process.destroyForcibly()
                    .onExit()
                    .orTimeout(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS)
                    .join();
        }
        try {
            Databases.deleteTree(launch.data());
            Databases.deleteTree(launch.directory());
        } catch (IOException | UncheckedIOException e) {
            System.err.println("[test-servers] MySQL left files behind: " + e);
        }
    }

    /** Starts the process, and waits until it does what it is asked first. */
    private synchronized void launch(Databases asked, String first) throws IOException {
        Launch how = requirePackaged();
        Process server = how.start();
        process = server;
        long deadline = System.nanoTime() + Await.PATIENCE.toNanos();
        while (true) {
            try {
                asked.execute(first);
                return;
            } catch (SQLException e) {
                if (!server.isAlive() || System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException(
                            "mysqld did not start: " + how.commands().tail(), e);
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
            }
        }
    }

    private Launch requirePackaged() {
        if (launch == null) {
            throw new IllegalStateException("Only a server from MySqlServer.packaged() can be killed.");
        }
        return launch;
    }

    private static String url(String host, int port, String password) {
        return "jdbc:mysql://" + host + ":" + port + "/?user=root&password=" + password
                + "&sslMode=DISABLED&allowPublicKeyRetrieval=true";
    }
}
