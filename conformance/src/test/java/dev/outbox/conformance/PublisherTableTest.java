package dev.outbox.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The table of brokers in the README says what the reports of their publishers say. */
class PublisherTableTest {
    private static final ReadmeTable TABLE = new ReadmeTable(
            "brokers",
            "<!-- This table is made from the publishers' conformance.json; see CONTRIBUTING.md. -->\n",
            "<!-- End of the table of publishers. -->\n",
            List.of(
                    "| broker | artifact | meanwhile it was | messages of a partition in flight | rules kept |",
                    "|---|---|---|--:|---|"));

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
    private record Broker(String name, String module, String tests, String server) implements ReadmeTable.Row {
        @Override
        public Optional<String> notTested() {
            return ReadmeTable.switchedOff(server);
        }

        @Override
        public List<String> cells() throws IOException {
            JsonNode report = ReadmeTable.report("publishers/" + module, tests);
            JsonNode publisher = report.get("publisher");
            String faults = FAULTS.entrySet().stream()
                    .filter(fault -> !publisher.get("faultsNotCaused").has(fault.getKey()))
                    .map(Map.Entry::getValue)
                    .collect(Collectors.joining(", "));
            int all = report.get("rules").size();
            int kept = report.at("/verdict/rules/pass").asInt();
            return List.of(
                    name, "`" + module + "`", faults, publisher.get("inFlight").asText(), kept + " of " + all);
        }
    }

    private static final List<Broker> BROKERS = List.of(
            new Broker("Kafka", "outbox-kafka", "dev.outbox.kafka.KafkaTckTest", ""),
            new Broker("RabbitMQ", "outbox-rabbitmq", "dev.outbox.rabbitmq.RabbitTckTest", "rabbitmq"),
            new Broker("NATS JetStream", "outbox-nats", "dev.outbox.nats.NatsTckTest", "nats"),
            new Broker("Amazon SQS, by ElasticMQ", "outbox-sqs", "dev.outbox.sqs.SqsTckTest", ""));

    @Test
    void theReadmeSaysWhatTheReportsSay() throws IOException {
        TABLE.saysWhatTheReportsSay(BROKERS);
    }
}
