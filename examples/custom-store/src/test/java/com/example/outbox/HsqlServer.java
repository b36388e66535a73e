package com.example.outbox;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.hsqldb.server.Server;

/** A server in the process of the tests, with a database in memory for every outbox. */
final class HsqlServer {
    private static final Map<String, HikariDataSource> POOLS = new ConcurrentHashMap<>();
    private HsqlServer() {}

    /** The URL of a new database, which any process of this machine can open. */
    static String newDatabase() {
        String name = "outbox" + UUID.randomUUID().toString().replace("-", "");
        return "jdbc:hsqldb:hsql://localhost:" + Running.PORT + "/" + name + ";mem:" + name + ";hsqldb.tx=mvcc;user=SA";
    }

    /** Connections to it; HSQLDB takes a tenth of a second for each new one. */
    static DataSource pool(String address) {
        return POOLS.computeIfAbsent(address, url -> {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(url);
            config.setMaximumPoolSize(30);
            config.setMinimumIdle(1);
            return new HikariDataSource(config);
        });
    }

    static void drop(String address) throws SQLException {
        try (Connection connection = pool(address).getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("SHUTDOWN");
        }
        POOLS.remove(address).close();
    }

    private static int start() {
        Server server = new Server();
        server.putPropertiesFromString("address=localhost;port=0;remote_open=true;maxdatabases=1000;silent=true");
        server.setLogWriter(null);
        server.setErrWriter(null);
        server.start();
        server.checkRunning(true);
        return server.getLocalPort();
    }

    /** Started with the first database, and so not in the processes that only open one. */
    private static final class Running {
        static final int PORT = start();
    }
}
