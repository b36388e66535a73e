package dev.outbox.micrometer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.Codecs;
import dev.outbox.Outbox;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.RetryPolicy;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.relay.Relay;
import dev.outbox.servers.PrometheusServer;
import dev.outbox.store.memory.MemoryOutbox;
import dev.outbox.store.memory.MemoryTransaction;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A real Prometheus scrapes real outboxes, and finds a value for each query of the dashboard and each alert. */
@Tag("prometheus")
@Tag("versions")
@Timeout(300)
class DashboardTest {
    private static final Path ALERTS = Path.of("..", "prometheus", "outbox.yml");
    private static final Path DASHBOARD = Path.of("..", "grafana", "outbox.json");
    private static final Pattern ALERT =
            Pattern.compile("- alert: (\\w+)\\s+expr: (?:>-)?(.*?)\\s+(?:for|labels):", Pattern.DOTALL);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Scraped scraped = new Scraped();

    // One is busy and in trouble. To the other, messages are written and no relay publishes them.
    private final MemoryOutbox shop = new MemoryOutbox();
    private final MemoryOutbox ledger = new MemoryOutbox();
    private final FaultyStore ledgerStore = new FaultyStore(ledger.store());

    @Test
    void everyQueryFindsWhatItShould() throws Exception {
        HttpServer page = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        page.createContext("/metrics", exchange -> {
            byte[] text = scraped.registry.scrape().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4");
            exchange.sendResponseHeaders(200, text.length);
            exchange.getResponseBody().write(text);
            exchange.close();
        });
        page.start();
        try (PrometheusServer prometheus =
                        new PrometheusServer(page.getAddress().getPort(), Duration.ofMillis(100));
                OutboxMetrics ofShop = metrics("shop").store(shop.store()).build();
                OutboxMetrics ofLedger =
                        metrics("ledger").store(ledgerStore.store()).build()) {
            ofShop.bindTo(scraped.registry);
            ofLedger.bindTo(scraped.registry);
            Topic<String> orders = orders(ofShop);
            Topic<String> mails = mails(ofShop);
            Topic<String> bills = topic("bills").publisher(d -> Receipt.taken()).build();
            Map<String, String> alerts = alerts();
            Relay silent = Relay.builder(ledger.store()).topic(bills).build();
            try (Relay relay =
                    Relay.builder(shop.store()).topic(orders).topic(mails).build()) {
                ofShop.watch(relay);
                ofLedger.watch(silent); // never started
                relay.start();
                Callable<Void> traffic = () -> {
                    write(shop, orders, List.of("dead", "later", "good"));
                    write(shop, mails, List.of("m"));
                    write(ledger, bills, List.of("b"));
                    return null;
                };
                List<String> queries = queries();
                assertTrue(queries.size() > 15, "queries: " + queries.size());
                await(prometheus, queries, traffic);
                List<String> firing = List.of(
                        "OutboxMessagesWait",
                        "OutboxBacklogGrows",
                        "OutboxPartitionsFail",
                        "OutboxBrokerAway",
                        "OutboxDeadLetters",
                        "OutboxRelaySilent");
                await(prometheus, firing.stream().map(alerts::remove).toList(), traffic);
                assertEquals(
                        List.of("OutboxRelayGone", "OutboxNotSeen", "OutboxStoreFails"), List.copyOf(alerts.keySet()));
                Await.until("the others are quiet", () -> {
                    for (String other : alerts.values()) {
                        if (!values(prometheus, other).isEmpty()) {
                            return false;
                        }
                    }
                    return true;
                });
                ledgerStore.fail(true);
                await(prometheus, List.of(alerts.get("OutboxNotSeen"), alerts.get("OutboxStoreFails")), traffic);
            } finally {
                silent.close();
            }
            await(prometheus, List.of(alerts.get("OutboxRelayGone")), () -> null);
        } finally {
            page.stop(0);
        }
    }

    private static OutboxMetrics.Builder metrics(String outbox) {
        return OutboxMetrics.builder()
                .tag("outbox", outbox)
                .detail(MeterDetail.TOPIC)
                .refresh(Duration.ofMillis(100))
                .maxAge(Duration.ofHours(1));
    }

    private static Topic.Builder<String> topic(String name) {
        return Topic.builder(name, Codecs.text())
                .key(text -> text)
                .partitions(16)
                .retry(RetryPolicy.defaults().withInitialDelay(Duration.ofHours(1)));
    }

    private static Topic<String> orders(OutboxMetrics metrics) {
        return topic("orders")
                .listener(metrics)
                .publisher(delivery -> {
                    switch (delivery.message()) {
                        case "dead" -> throw new PermanentFailureException("unreadable");
                        case "later" -> throw new IllegalStateException("not now");
                        default -> {
                            return Receipt.taken();
                        }
                    }
                })
                .build();
    }

    private static Topic<String> mails(OutboxMetrics metrics) {
        return topic("mails")
                .listener(metrics)
                .publisher(delivery -> {
                    throw new BrokerUnavailableException("away");
                })
                .build();
    }

    private static void write(MemoryOutbox outbox, Topic<String> topic, List<String> messages) throws Exception {
        try (MemoryTransaction tx = outbox.begin()) {
            Outbox.bind(topic, MemoryOutbox.persist(tx)).publishAll(messages);
            tx.commit();
        }
    }

    /** Waits until each has found something, while messages are written. */
    private static void await(PrometheusServer prometheus, Collection<String> queries, Callable<Void> traffic)
            throws Exception {
        List<String> left = new ArrayList<>(queries);
        boolean found = Await.within(Duration.ofMinutes(2), () -> {
            traffic.call();
            for (String query : List.copyOf(left)) {
                if (!values(prometheus, query).isEmpty()) {
                    left.remove(query);
                }
            }
            return left.isEmpty();
        });
        assertTrue(found, () -> "queries without a value: " + left);
    }

    /** All values that a query finds and that are numbers. */
    private static List<String> values(PrometheusServer prometheus, String query) throws Exception {
        List<String> values = new ArrayList<>();
        for (JsonNode series :
                JSON.readTree(prometheus.query(query)).get("data").get("result")) {
            String value = series.get("value").get(1).asText();
            if (!value.equals("NaN")) {
                values.add(value);
            }
        }
        return values;
    }

    private static List<String> queries() throws Exception {
        List<String> queries = new ArrayList<>(List.of("count by (topic) (outbox_backlog_messages)")); // the topics
        for (JsonNode query : JSON.readTree(DASHBOARD.toFile()).findValues("expr")) {
            queries.add(query.asText().replace("$__rate_interval", "5s").replace("$topic", ".*"));
        }
        return queries;
    }

    /** By their names, with minutes as seconds. */
    private static Map<String, String> alerts() throws Exception {
        Map<String, String> alerts = new LinkedHashMap<>();
        ALERT.matcher(Files.readString(ALERTS))
                .results()
                .forEach(alert -> alerts.put(
                        alert.group(1),
                        alert.group(2).replaceAll("\\b\\d+m\\b", "2s").replaceAll("> (?:300|120)\\b", "> 2")));
        return alerts;
    }
}
