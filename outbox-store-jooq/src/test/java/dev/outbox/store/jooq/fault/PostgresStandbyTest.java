package dev.outbox.store.jooq.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.ConfigurationException;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.processes.Await;
import dev.outbox.servers.PostgresServer;
import dev.outbox.store.jooq.JdbcOutbox;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An address that leads to a standby, as after a failover by a name that others still have cached. */
@Tag("postgres")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class PostgresStandbyTest {
    private static final Set<String> TOPICS = Set.of(Settings.TOPIC);

    @Test
    void aRunningStoreThatReachesAStandbyHandsNothingOut() throws Exception {
        try (PostgresServer server = PostgresServer.packaged()) {
            String url = server.newDatabase();
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(url);
            try (Store own = Stores.open(url, StoreOptions.defaults().withCreateSchema(true));
                    HikariDataSource pool = new HikariDataSource(config);
                    Store ofPool = JdbcOutbox.store(pool, StoreOptions.defaults())) {
                for (Store store : List.of(own, ofPool)) {
                    assertEquals(List.of(), BatchFaultTest.publishAll(store)); // nothing is known of any partition
                }
                server.kill();
                server.restartAsStandby();
                assertStandby(own); // nothing is there, and that is not to be believed
                assertStandby(ofPool);
                promote(url);
                write(url, "a", "b");
                server.kill();
                server.restartAsStandby();
                assertStandby(own);
                assertStandby(ofPool);
                assertTrue(said(() -> Operations.of(own).backlog()).contains("standby"));
                String text = String.valueOf(assertThrows(ConfigurationException.class, () -> Stores.open(url))
                        .getMessage());
                assertTrue(text.contains("the server is a standby") && text.contains("primary"), text);
                promote(url);
                BatchFaultTest.awaitPublished(ofPool, "a", "b");
                write(url, "c");
                BatchFaultTest.awaitPublished(own, "c");
            }
        }
    }

    /** The first answers may be that a connection has ended. */
    private static void assertStandby(Store store) throws Exception {
        Await.until(
                "the answer that it is a standby",
                () -> said(() -> store.checkout(TOPICS, 10).close()).contains("the server is a standby"));
    }

    private static String said(Runnable call) {
        return String.valueOf(assertThrows(StoreException.class, call::run).getMessage());
    }

    private static void promote(String url) throws Exception {
        Sql.execute(url, "SELECT pg_promote(true, 60)");
    }

    private static void write(String url, String... texts) throws Exception {
        try (Connection connection = DriverManager.getConnection(url)) {
            connection.setAutoCommit(false);
            for (String text : texts) {
                JdbcOutbox.persist(connection)
                        .persist(new OutgoingMessage(
                                Settings.TOPIC, 0, null, Map.of(), text.getBytes(StandardCharsets.UTF_8)));
            }
            connection.commit();
        }
    }
}
