package dev.outbox.micrometer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.outbox.Codecs;
import dev.outbox.Outbox;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.RetryPolicy;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import dev.outbox.servers.Promtool;
import dev.outbox.store.memory.MemoryOutbox;
import dev.outbox.store.memory.MemoryTransaction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The alerts and the dashboard ask for meters that there are, and the alerts fire when they should. */
class AlertsTest {
    private static final Path ALERTS = Path.of("..", "prometheus", "outbox.yml");
    private static final Path SERIES = Path.of("..", "prometheus", "outbox-test.yml");
    private static final Path DASHBOARD = Path.of("..", "grafana", "outbox.json");

    @TempDir
    Path folder = Path.of("");

    @Test
    void everyMeterThatIsAskedForExists() throws Exception {
        String shown = troubled();
        Set<String> labels = found("[{,]([a-z_]+)=", shown);
        labels.add("outbox"); // a tag of an application with several
        for (String text : List.of(Files.readString(ALERTS), Files.readString(SERIES), String.join("\n", queries()))) {
            Set<String> meters = found("\\b(outbox_[a-z_]+)", text);
            assertTrue(meters.size() > 5, "meters: " + meters);
            meters.removeAll(found("(?m)^(outbox_[a-z_]+)[{ ]", shown));
            assertEquals(Set.of(), meters, "meters that the outbox does not have");
            Set<String> asked = new TreeSet<>();
            found("\\b(?:by|on) \\(([a-z, ]+)\\)", text).forEach(list -> asked.addAll(List.of(list.split(", "))));
            asked.removeAll(labels);
            assertEquals(Set.of(), asked, "labels that its meters do not have");
        }
    }

    @Test
    @Tag("prometheus")
    void theAlertsFireWhenTheyShould() throws Exception {
        Promtool promtool = Promtool.shared();
        promtool.run(Path.of("..", "prometheus"), "check", "rules", "outbox.yml");
        promtool.run(Path.of("..", "prometheus"), "test", "rules", "outbox-test.yml");
        for (String alert : found("- alert: (\\w+)", Files.readString(ALERTS))) {
            Pattern firing = Pattern.compile("alertname: " + alert + "\\s+eval_time: \\w+\\s+exp_alerts:");
            assertTrue(firing.matcher(Files.readString(SERIES)).find(), "no series for which it fires: " + alert);
        }
    }

    @Test
    @Tag("prometheus")
    void anAlertThatFiresTooLateIsNoticed() throws Exception {
        String alerts = Files.readString(ALERTS);
        String silencedByNaN = alerts.replaceAll("m[axin]+_over_time\\((\\w+)\\[2m]\\)", "$1");
        Files.copy(SERIES, folder.resolve("outbox-test.yml"));
        Promtool promtool = Promtool.shared();
        for (String wrong : List.of(alerts.replace("> 300", "> 3000"), silencedByNaN)) {
            Files.writeString(folder.resolve("outbox.yml"), wrong);
            assertThrows(AssertionError.class, () -> promtool.run(folder, "test", "rules", "outbox-test.yml"));
        }
    }

    @Test
    @Tag("prometheus")
    void theAlertsSeeWhatARealOutboxShows() throws Exception {
        List<String> test = new ArrayList<>(List.of(
                "rule_files: [outbox.yml]",
                "evaluation_interval: 1m",
                "tests:",
                "  - interval: 1m",
                "    input_series:"));
        for (String line : troubled().lines().toList()) {
            if (!line.startsWith("#")) {
                int end = line.lastIndexOf(' ');
                test.add("      - series: '" + line.substring(0, end) + "'");
                test.add("        values: " + Double.parseDouble(line.substring(end + 1)) + "x30");
            }
        }
        test.add("    alert_rule_test:");
        for (String quiet :
                List.of("MessagesWait", "BacklogGrows", "RelaySilent", "RelayGone", "NotSeen", "StoreFails")) {
            test.add("      - {alertname: Outbox" + quiet + ", eval_time: 20m}");
        }
        test.addAll(List.of(
                "      - alertname: OutboxDeadLetters",
                "        eval_time: 20m",
                "        exp_alerts:",
                "          - exp_labels: {severity: warning, topic: orders}",
                "            exp_annotations:",
                "              summary: 1 messages of orders were given up",
                "              description: Operations.deadLetters() says why. Redrive them when the cause is fixed, or"
                        + " discard them."));
        Files.copy(ALERTS, folder.resolve("outbox.yml"));
        Files.write(folder.resolve("real.yml"), test);
        Promtool.shared().run(folder, "test", "rules", "real.yml");
    }

    @Test
    @Tag("prometheus")
    void prometheusUnderstandsTheQueriesOfTheDashboard() throws Exception {
        List<String> rules = new ArrayList<>(List.of("groups:", "  - name: dashboard", "    rules:"));
        List<String> queries = queries();
        assertTrue(queries.size() > 15, "queries: " + queries.size());
        for (String query : queries) {
            String complete = query.replace("$__rate_interval", "1m").replace("$topic", ".*");
            rules.add("      - record: panel");
            rules.add("        expr: '" + complete + "'");
            rules.add("        labels: {number: \"" + rules.size() + "\"}");
        }
        Files.write(folder.resolve("dashboard.yml"), rules);
        String said = Promtool.shared().run(folder, "check", "rules", "dashboard.yml");
        assertTrue(said.contains(queries.size() + " rules found"), said);
    }

    /** An outbox with a dead letter, a failing partition and a published message, and everything that it shows. */
    private static String troubled() throws Exception {
        Scraped scraped = new Scraped();
        MemoryOutbox outbox = new MemoryOutbox();
        try (Store store = outbox.store();
                OutboxMetrics metrics = OutboxMetrics.builder()
                        .store(store)
                        .refresh(Duration.ofMillis(100))
                        .maxAge(Duration.ofHours(1))
                        .detail(MeterDetail.TOPIC)
                        .build()) {
            metrics.bindTo(scraped.registry);
            Topic<String> orders = Topic.builder("orders", Codecs.text())
                    .key(text -> text.substring(0, 1))
                    .partitions(8)
                    .retry(RetryPolicy.defaults().withInitialDelay(Duration.ofHours(1)))
                    .listener(metrics)
                    .publisher(delivery -> {
                        switch (delivery.message()) {
                            case "a" -> throw new PermanentFailureException("unreadable");
                            case "b" -> throw new IllegalStateException("not now");
                            default -> {
                                return Receipt.taken();
                            }
                        }
                    })
                    .build();
            try (MemoryTransaction tx = outbox.begin()) {
                Outbox.bind(orders, MemoryOutbox.persist(tx)).publishAll(List.of("a", "b", "c"));
                tx.commit();
            }
            try (Relay relay = Relay.builder(store).topic(orders).build()) {
                metrics.watch(relay);
                relay.processMessages(10);
                scraped.await("outbox_dead_letters{topic=\"orders\"}", 1);
                scraped.await("outbox_partitions_failing{topic=\"orders\"}", 1);
                return scraped.registry.scrape();
            }
        }
    }

    private static List<String> queries() throws IOException {
        List<String> queries = new ArrayList<>();
        for (JsonNode query : new ObjectMapper().readTree(DASHBOARD.toFile()).findValues("expr")) {
            queries.add(query.asText());
        }
        return queries;
    }

    private static Set<String> found(String pattern, String text) {
        Set<String> found = new TreeSet<>();
        Pattern.compile(pattern).matcher(text).results().forEach(match -> found.add(match.group(1)));
        return found;
    }
}
