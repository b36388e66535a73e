package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.Outbox;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Applications that use JDBC alone need not have jOOQ; in a JVM of its own, with it and without. */
@Timeout(300)
class WithoutJooqTest {
    private static final String URL = "jdbc:h2:mem:without;DB_CLOSE_DELAY=-1";

    /** In the child: writes, and relays by URL and by pool, under the default names and under others. */
    static final class Child {
        private Child() {}

        public static void main(String[] none) throws Exception {
            System.out.println("jOOQ: " + isThere("org.jooq.DSLContext"));
            JdbcDataSource pool = new JdbcDataSource();
            pool.setURL(URL);
            JdbcOutbox.createSchema(pool);
            JdbcOutbox.Named other = JdbcOutbox.named("other_");
            other.createSchema(pool);
            Topic<String> topic = Topic.builder("letters", String.class)
                    .publisher(delivery -> {
                        System.out.println("published " + delivery.message());
                        return Receipt.taken();
                    })
                    .build();
            try (Connection connection = pool.getConnection()) {
                connection.setAutoCommit(false);
                Outbox.bind(topic, JdbcOutbox.persist(connection)).publish("by url");
                Outbox.bind(topic, other.persist(() -> connection)).publish("by pool");
                connection.commit();
            }
            try (Store store = Stores.open(URL);
                    Relay relay = Relay.builder(store).topic(topic).build()) {
                relay.processMessages(10);
            }
            try (Store store = other.store(pool, StoreOptions.defaults());
                    Relay relay = Relay.builder(store).topic(topic).build()) {
                relay.processMessages(10);
            }
            for (SqlDatabase database : SqlDatabase.values()) {
                if (JdbcOutbox.ddl(database).isBlank()
                        || other.upgradeDdl(database, 1).isBlank()) {
                    System.out.println("no DDL of " + database);
                }
            }
            if (!other.wakeUpDdl(SqlDatabase.POSTGRESQL).contains("other_message")) {
                System.out.println("no trigger");
            }
        }

        private static boolean isThere(String type) {
            try {
                Class.forName(type);
                return true;
            } catch (ClassNotFoundException e) {
                return false;
            }
        }
    }

    @Test
    void jdbcNeedsNoJooq() throws Exception {
        assertEquals(List.of("jOOQ: false", "published by url", "published by pool"), run("jooq-\\d.*"));
    }

    @Test
    void jdbcDoesTheSameWithJooq() throws Exception {
        assertEquals(List.of("jOOQ: true", "published by url", "published by pool"), run("none"));
    }

    private static List<String> run(String excluded) throws IOException, InterruptedException {
        String classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(entry -> !Path.of(entry).getFileName().toString().matches(excluded))
                .collect(Collectors.joining(File.pathSeparator));
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process child = new ProcessBuilder(java, "-cp", classPath, Child.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, child.waitFor(), said);
        return said.lines().toList();
    }
}
