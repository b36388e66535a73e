package dev.outbox.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The table of brokers in the README says what the reports of their publishers say. */
class PublisherTableTest {
    /** Set it to have the table written, by {@code -Doutbox.readme.write}. */
    private static final String WRITE = "outbox.readme.write";

    private static final Path README = Path.of("..", "README.md");
    private static final String START =
            "<!-- This table is made from the publishers' conformance.json; see CONTRIBUTING.md. -->\n";
    private static final String END = "<!-- End of the table of publishers. -->\n";

    /** The faults of the suite in its order, in the words of the table. */
    private static final Map<String, String> FAULTS = new LinkedHashMap<>();

    static {
        FAULTS.put("KILLED", "killed");
        FAULTS.put("PAUSED", "paused");
        FAULTS.put("CUT_OFF", "cut off");
        FAULTS.put("FULL", "full");
        FAULTS.put("MISSING", "without the destination");
        FAULTS.put("FORBIDDEN", "closed to the user");
    }

    /**
     * A row.
     *
     * @param tests the class whose report is quoted
     * @param server what the tests are switched off by, or nothing
     */
    private record Broker(String name, String module, String tests, String server) {}

    private static final List<Broker> BROKERS = List.of(
            new Broker("Kafka", "outbox-kafka", "dev.outbox.kafka.KafkaTckTest", ""),
            new Broker("RabbitMQ", "outbox-rabbitmq", "dev.outbox.rabbitmq.RabbitTckTest", "rabbitmq"),
            new Broker("NATS JetStream", "outbox-nats", "dev.outbox.nats.NatsTckTest", "nats"),
            new Broker("Amazon SQS, by ElasticMQ", "outbox-sqs", "dev.outbox.sqs.SqsTckTest", ""));

    @Test
    void theReadmeSaysWhatTheReportsSay() throws IOException {
        String readme = Files.readString(README).replace("\r\n", "\n");
        int start = readme.indexOf(START) + START.length();
        int end = readme.indexOf(END);
        String written = readme.substring(start, end);
        Map<String, String> rows =
                written.lines().skip(2).collect(Collectors.toMap(row -> row.split(" \\| ", 2)[0], Function.identity()));
        List<String> shown = new ArrayList<>(List.of(
                "| broker | artifact | meanwhile it was | messages of a partition in flight | rules kept |",
                "|---|---|---|--:|---|"));
        for (Broker broker : BROKERS) {
            if (isSwitchedOff(broker)) { // what was not tested cannot be compared, and is said
                System.out.println("The README's row of " + broker.name() + " was not compared.");
                shown.add(rows.getOrDefault("| " + broker.name(), ""));
            } else {
                shown.add(row(broker));
            }
        }
        String table = String.join("\n", shown) + "\n";
        if (System.getProperty(WRITE) != null) {
            Files.writeString(README, readme.substring(0, start) + table + readme.substring(end));
            return;
        }
        assertEquals(
                table,
                written,
                "the table of brokers in README.md; mvn verify -D" + WRITE + " writes it as the reports have it");
    }

    private static boolean isSwitchedOff(Broker broker) {
        return Arrays.stream(System.getProperty("outbox.test.without", "").split(",", -1))
                .anyMatch(server -> !server.isBlank() && server.trim().equals(broker.server()));
    }

    private static String row(Broker broker) throws IOException {
        Path file = Path.of(
                "..", "publishers", broker.module(), "target", "outbox-tck", broker.tests(), "conformance.json");
        if (!Files.exists(file)) {
            throw new AssertionError("There is no " + file.normalize() + ": run mvn verify, with all its modules.");
        }
        JsonNode report = new ObjectMapper().readTree(file.toFile());
        JsonNode publisher = report.get("publisher");
        String faults = FAULTS.entrySet().stream()
                .filter(fault -> !publisher.get("faultsNotCaused").has(fault.getKey()))
                .map(Map.Entry::getValue)
                .collect(Collectors.joining(", "));
        int all = report.get("rules").size();
        int kept = report.at("/verdict/rules/pass").asInt();
        return List.of(
                        broker.name(),
                        "`" + broker.module() + "`",
                        faults,
                        publisher.get("inFlight").asText(),
                        kept + " of " + all)
                .stream()
                .collect(Collectors.joining(" | ", "| ", " |"));
    }
}
