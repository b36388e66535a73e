package dev.outbox.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The databases of a server.
 *
 * @param adminUrl a JDBC URL whose user may create databases
 */
record Databases(String adminUrl) {
    /** The databases of the server that an environment variable names. No other server takes its place. */
    static Databases named(String environment) throws Server.UnsetException {
        Databases databases = new Databases(Named.url(environment));
        try {
            databases.execute("SELECT 1");
        } catch (SQLException e) {
            throw new Server.NamedException(environment, e);
        }
        return databases;
    }

    void execute(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(adminUrl);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Makes an empty database and returns its URL. */
    String create() throws SQLException {
        String name = "outbox_" + UUID.randomUUID().toString().replace("-", "");
        execute("CREATE DATABASE " + name);
        int query = adminUrl.indexOf('?');
        String server = adminUrl.substring(0, adminUrl.lastIndexOf('/', query < 0 ? adminUrl.length() : query) + 1);
        return server + name + (query < 0 ? "" : adminUrl.substring(query));
    }

    void drop(String url, String how) throws SQLException {
        int query = url.indexOf('?');
        String path = query < 0 ? url : url.substring(0, query);
        execute("DROP DATABASE IF EXISTS " + path.substring(path.lastIndexOf('/') + 1) + how);
    }

    /** Removes the files of a server that is gone. */
    static void deleteTree(@Nullable Path directory) throws IOException {
        if (directory == null || !Files.exists(directory)) {
            return;
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
