package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.shop.ShopApplication;
import dev.outbox.OutboxHeaders;
import dev.outbox.processes.Await;
import dev.outbox.processes.ChildJvm;
import dev.outbox.servers.KafkaServer;
import dev.outbox.servers.Ports;
import dev.outbox.servers.PostgresServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The shop of {@code docs/SPRING.md}, with PostgreSQL and Kafka, in a process of its own that is killed on the way. */
@Tag("versions")
class ShopTest {
    private static final int ORDERS = 100;

    private final HttpClient client = HttpClient.newHttpClient();

    @Test
    void everyOrderThatWasCommittedIsConsumed() throws Exception {
        PostgresServer postgres = PostgresServer.shared();
        String database = postgres.newDatabase();
        try (KafkaServer kafka = KafkaServer.start()) {
            createTopic(kafka);
            Process shop = start(database, kafka, Ports.free());
            Set<String> accepted = new TreeSet<>();
            try {
                int port = awaitHealth(shop);
                for (int i = 0; i < ORDERS; i++) {
                    place(port, "SO-" + i, accepted);
                    if (i == ORDERS / 2) {
                        shop.destroyForcibly().waitFor();
                        shop = start(database, kafka, Ports.free());
                        port = awaitHealth(shop);
                    }
                }
                Map<String, Set<String>> consumed = consume(kafka, committed(database));
                assertEquals(committed(database), consumed.keySet(), "committed, and consumed");
                assertTrue(committed(database).containsAll(accepted), "accepted: " + accepted);
                assertTrue(accepted.size() == ORDERS, "accepted: " + accepted.size());
                consumed.forEach((number, ids) -> assertEquals(1, ids.size(), number + " has one id in every copy"));
                shop.destroy();
                assertTrue(shop.waitFor(60, TimeUnit.SECONDS), "it stops when it is asked to");
            } finally {
                shop.destroyForcibly().waitFor();
            }
        } finally {
            postgres.dropDatabase(database);
        }
    }

    private int port;

    private Process start(String database, KafkaServer kafka, int port) throws IOException {
        this.port = port;
        return ChildJvm.of(
                        ShopApplication.class,
                        256,
                        List.of(),
                        List.of(
                                "--spring.config.location=classpath:/shop/",
                                "--spring.datasource.url=" + database,
                                "--spring.kafka.bootstrap-servers=" + kafka.direct(),
                                "--server.port=" + port))
                .redirectErrorStream(true)
                .redirectOutput(Path.of("target", "shop-" + port + ".log").toFile())
                .start();
    }

    private int awaitHealth(Process shop) throws Exception {
        Await.until("the shop is up; see target/shop-" + port + ".log", Duration.ofMinutes(5), () -> {
            assertTrue(shop.isAlive(), "the shop has ended; see target/shop-" + port + ".log");
            try {
                return send("GET", port, "/actuator/health").statusCode() == 200;
            } catch (IOException e) {
                return false; // not yet
            }
        });
        return port;
    }

    private void place(int port, String number, Set<String> accepted) throws Exception {
        HttpResponse<String> answer = send("POST", port, "/orders?customer=C-1&number=" + number);
        assertEquals(200, answer.statusCode(), answer.body());
        accepted.add(json(number));
    }

    private HttpResponse<String> send(String method, int port, String path) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static String json(String number) {
        return "{\"number\":\"" + number + "\",\"customer\":\"C-1\"}";
    }

    private static Set<String> committed(String database) throws SQLException {
        try (Connection connection = DriverManager.getConnection(database);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select number from purchase")) {
            Set<String> numbers = new TreeSet<>();
            while (rows.next()) {
                numbers.add(json(rows.getString(1)));
            }
            return numbers;
        }
    }

    /** The ids under which each message came, once all that are expected have come. */
    private static Map<String, Set<String>> consume(KafkaServer kafka, Set<String> expected) throws Exception {
        Map<String, Set<String>> ids = new TreeMap<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers", kafka.direct(),
                        "group.id", "billing",
                        "auto.offset.reset", "earliest"),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.subscribe(List.of("orders"));
            Await.until("all orders are consumed", () -> {
                for (ConsumerRecord<String, String> message : consumer.poll(Duration.ofMillis(200))) {
                    assertEquals("C-1", message.key());
                    ids.computeIfAbsent(message.value(), value -> new TreeSet<>())
                            .add(id(message));
                }
                return ids.keySet().containsAll(expected);
            });
        }
        return ids;
    }

    private static String id(ConsumerRecord<String, String> message) {
        byte @Nullable [] id = message.headers().lastHeader(OutboxHeaders.ID).value();
        return id == null ? "" : new String(id, StandardCharsets.UTF_8);
    }

    private static void createTopic(KafkaServer kafka) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.direct()))) {
            admin.createTopics(List.of(new NewTopic("orders", 3, (short) 1)))
                    .all()
                    .get(60, TimeUnit.SECONDS);
        }
    }
}
