package dev.outbox.examples.shop;

import dev.outbox.processes.Await;
import dev.outbox.servers.KafkaServer;
import dev.outbox.servers.PostgresServer;
import java.io.PrintStream;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/** Starts PostgreSQL, Kafka and the shop, kills the shop while customers order, starts it again, and counts. */
public final class KilledShop {
    private static final String TOPIC = "orders";
    private static final int TIMES = 150;

    private final PrintStream out;
    private final String database;
    private final String kafka;

    private KilledShop(PrintStream out, String database, String kafka) {
        this.out = out;
        this.database = database;
        this.kafka = kafka;
    }

    /** Ends with 0 if everything arrived as it should. */
    public static void main(String[] args) throws Exception {
        System.exit(run(System.out).isGood() ? 0 : 1);
    }

    static Count run(PrintStream out) throws Exception {
        System.setProperty("logback.configurationFile", "quiet.xml"); // of this process; the shop has a log file
        out.println("starting PostgreSQL and Kafka");
        Count count = withServers((database, kafka) -> new KilledShop(out, database, kafka).run());
        out.println(count);
        return count;
    }

    /** Uses a database of PostgreSQL and a Kafka that has the topic. */
    interface Servers<T> {
        T use(String database, String kafka) throws Exception;
    }

    static <T> T withServers(Servers<T> use) throws Exception {
        PostgresServer postgres = PostgresServer.shared();
        String database = postgres.newDatabase();
        try (KafkaServer kafka = KafkaServer.start();
                Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.direct()))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, 3, (short) 1))).all().get(60, TimeUnit.SECONDS);
            return use.use(database, kafka.direct());
        } finally {
            postgres.dropDatabase(database);
        }
    }

    private Count run() throws Exception {
        long killed;
        try (Customers customers = new Customers(TIMES)) {
            try (ShopProcess shop = start(customers)) {
                Await.until(
                        "there are bills",
                        () -> customers.accepted().size() > TIMES
                                && !numbers(database, "select number from bill").isEmpty());
                customers.goTo(null);
                int exitCode = shop.kill();
                killed = System.currentTimeMillis();
                out.println("killed the shop after " + customers.accepted().size() + " orders, exit code " + exitCode);
            }
            try (ShopProcess shop = start(customers)) {
                Await.until("all have ordered", customers::areDone);
                out.println("accepted " + customers.accepted().size() + " orders");
                Set<String> committed = new TreeSet<>(numbers(database, "select number from purchase"));
                Await.within(
                        Duration.ofSeconds(90),
                        () -> numbers(database, "select number from bill").containsAll(committed)
                                && numbers(database, "select id from outbox_message")
                                        .isEmpty());
                if (!shop.stop()) {
                    throw new AssertionError("The shop does not end.");
                }
                return Count.of(
                        customers.accepted(),
                        committed,
                        Consumed.all(kafka, TOPIC),
                        numbers(database, "select number from bill"),
                        killed);
            }
        }
    }

    private ShopProcess start(Customers customers) throws Exception {
        ShopProcess shop = ShopProcess.start(database, kafka, Path.of("target"));
        out.println("the shop is open");
        customers.goTo(shop);
        return shop;
    }

    static List<String> numbers(String database, String query) throws SQLException {
        try (Connection connection = DriverManager.getConnection(database);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            List<String> numbers = new ArrayList<>();
            while (rows.next()) {
                numbers.add(rows.getString(1));
            }
            return numbers;
        }
    }
}
