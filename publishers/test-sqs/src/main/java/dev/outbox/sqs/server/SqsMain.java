package dev.outbox.sqs.server;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.TabularData;
import org.elasticmq.server.ElasticMQServer;
import org.elasticmq.server.config.ElasticMQServerConfig;

/**
 * ElasticMQ, until the process is ended. Its argument is a file of settings, which name the H2 database with queues and
 * messages. Once the server takes requests and has read the database, the file with the ending {@code .ready} next to
 * the settings is there.
 */
public final class SqsMain {
    private SqsMain() {}

    /** Runs the server. */
    public static void main(String[] arguments) throws Exception {
        Path file = Path.of(arguments[0]);
        Config settings = ConfigFactory.parseFile(file.toFile()).withFallback(ConfigFactory.load());
        Stored stored = Stored.in(settings.getString("messages-storage.uri"));
        new ElasticMQServer(new ElasticMQServerConfig(settings)).start();
        while (!stored.isIn(ManagementFactory.getPlatformMBeanServer())) { // it starts before it has read them
            Thread.sleep(10);
        }
        Files.createFile(Path.of(file + ".ready"));
    }

    /** How many queues and messages the database has. */
    private record Stored(long queues, long messages) {
        static Stored in(String url) throws SQLException {
            try (Connection connection = DriverManager.getConnection(url);
                    Statement statement = connection.createStatement()) {
                List<String> tables = new ArrayList<>();
                try (ResultSet names = connection.getMetaData().getTables(null, "PUBLIC", "%", null)) {
                    while (names.next()) {
                        tables.add(names.getString("TABLE_NAME"));
                    }
                }
                long messages = 0;
                for (String table : tables) {
                    messages += table.startsWith("MESSAGE_") ? rows(statement, table) : 0;
                }
                return new Stored(tables.contains("QUEUE") ? rows(statement, "QUEUE") : 0, messages);
            }
        }

        private static long rows(Statement statement, String table) throws SQLException {
            try (ResultSet count = statement.executeQuery("SELECT COUNT(*) FROM \"" + table + '"')) {
                count.next();
                return count.getLong(1);
            }
        }

        boolean isIn(MBeanServer beans) throws Exception {
            TabularData all = (TabularData)
                    beans.getAttribute(new ObjectName("org.elasticmq:name=Queues"), "NumberOfMessagesForAllQueues");
            long there = 0;
            for (Object row : all.values()) {
                for (Object value : ((CompositeData) row).values()) {
                    there += value instanceof Long number ? number : 0;
                }
            }
            return all.size() >= queues && there >= messages;
        }
    }
}
