package dev.outbox.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.MessageBatch;
import dev.outbox.Store;
import dev.outbox.tck.internal.report.ReportFiles;
import dev.outbox.tck.internal.spec.SpecRule;
import dev.outbox.tck.memory.MemoryHarness;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.testkit.engine.EngineTestKit;

/** What a run leaves behind says what was seen, and no more. */
class ReportTest {
    @TempDir
    private Path folder;

    @Test
    void aStoreThatKeepsTheContractReachesTheLevelThatWasRun() throws Exception {
        JsonNode report = run(Kept.class, Map.of(StoreTck.LEVEL, "1", StoreTck.SEED, "42"));
        assertEquals(1, report.at("/verdict/level").asInt());
        assertEquals("Conformant at level 1", report.at("/verdict/sentence").asText());
        assertEquals("pass", report.at("/verdict/levels/1").asText());
        assertEquals("not run", report.at("/verdict/levels/2").asText());
        assertEquals(42, report.at("/run/seed").asLong());
        assertEquals("memory 1", report.at("/store/backend").asText());
        assertEquals(SpecRule.version(), report.at("/specification/version").asText());
        assertTrue(report.at("/tck/version").asText().matches("\\d+\\..+"), "the version of the TCK is filled in");
        assertEquals("pass", rule(report, "OBX-CLOSE-1").get("status").asText());
        assertEquals("not run", rule(report, "OBX-CLOSE-1").at("/levels/3").asText(), "what level 3 says of a rule");
        assertEquals(
                "refused as declared", rule(report, "OBX-DEAD-2").get("status").asText());
        String seen = rule(report, "OBX-TX-1").at("/tests/0/seen").asText();
        assertTrue(seen.matches("kept in \\d+ operations, .*; seed 42"), seen);
        String without = StreamSupport.stream(
                        rule(report, "OBX-CLOSE-1").get("tests").spliterator(), false)
                .filter(test -> test.get("level").asInt() == 4)
                .map(test -> test.get("reason").asText())
                .findFirst()
                .orElse("there is no test");
        assertTrue(without.endsWith("names no TCP endpoint, so that the store stops at L3"), without);
    }

    @Test
    void aViolationIsReportedWithWhatProvesIt() throws Exception {
        JsonNode report = run(Broken.class, Map.of(StoreTck.LEVEL, "1", StoreTck.RULES, "OBX-LIMIT-*, OBX-ID-1"));
        assertEquals(0, report.at("/verdict/level").asInt());
        assertFalse(report.at("/verdict/conformant").asBoolean());
        JsonNode broken = rule(report, "OBX-LIMIT-1");
        assertEquals("fail", broken.get("status").asText());
        JsonNode witness = broken.at("/tests/0/witness");
        assertTrue(
                witness.get("observed").asText().contains("a batch of at most 1 has 2 messages"), witness.toString());
        assertTrue(witness.get("history").toString().contains("checked out"), "the history leads there: " + witness);
        assertEquals("pass", rule(report, "OBX-ID-1").get("status").asText());
        assertEquals("not run", rule(report, "OBX-TX-3").get("status").asText());
        String html = html(Broken.class);
        assertTrue(html.contains("Not conformant"), "the verdict in the page");
        assertTrue(html.contains("a batch of at most 1 has 2 messages"), "the witness in the page");
        assertFalse(html.contains("http"), "the page needs nothing else");
        assertTrue(html.contains("&lt;b&gt;"), "what the store says is text");
    }

    @Test
    void aStoreWhoseServerNobodyMayKillStopsAtLevel4() throws Exception {
        JsonNode report = run(Served.class, Map.of(StoreTck.RULES, "OBX-DUR-2, OBX-FAILOVER-1, OBX-ID-1"));
        assertEquals("not run", rule(report, "OBX-DUR-2").get("status").asText());
        assertEquals("not run", report.at("/verdict/levels/5").asText());
        String reason = rule(report, "OBX-DUR-2").at("/tests/0/reason").asText();
        assertTrue(reason.endsWith("has no server that may be killed, so that the store stops at L4"), reason);
        assertTrue(reason.startsWith(MemoryHarness.class.getName()), reason);
        String next = rule(report, "OBX-FAILOVER-1").at("/tests/0/reason").asText();
        assertTrue(next.endsWith("has no server that fails over, so that the store stops at L5"), next);
    }

    @Test
    void aTestThatIsReplacedProvesNothing() throws Exception {
        JsonNode report = run(Overriding.class, Map.of(StoreTck.LEVEL, "1", StoreTck.RULES, "OBX-LIMIT-1"));
        assertEquals("overridden", rule(report, "OBX-LIMIT-1").get("status").asText());
        assertEquals("overridden", report.at("/verdict/levels/1").asText());
        assertEquals(0, report.at("/verdict/level").asInt());
    }

    @Test
    void noReportIsWrittenWhereNoneIsWanted() {
        execute(Kept.class, Map.of(StoreTck.REPORT, "none", StoreTck.RULES, "OBX-ID-1", StoreTck.LEVEL, "1"));
        assertFalse(Files.exists(folder.resolve(Kept.class.getName())), "a report");
    }

    private JsonNode run(Class<? extends StoreTck> tests, Map<String, String> settings) throws Exception {
        execute(tests, settings);
        String json = Files.readString(folder.resolve(tests.getName()).resolve(ReportFiles.JSON));
        try (InputStream schema = StoreTck.class.getResourceAsStream("conformance.schema.json")) {
            assertEquals(
                    Set.of(),
                    JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                            .getSchema(new String(schema.readAllBytes(), StandardCharsets.UTF_8))
                            .validate(json, InputFormat.JSON),
                    "what the schema objects to");
        }
        return new ObjectMapper().readTree(json);
    }

    private void execute(Class<? extends StoreTck> tests, Map<String, String> settings) {
        EngineTestKit.engine("junit-jupiter")
                .selectors(selectClass(tests))
                .configurationParameter(StoreTck.REPORT, folder.toString())
                .configurationParameters(settings)
                .execute();
    }

    private String html(Class<? extends StoreTck> tests) throws Exception {
        return Files.readString(folder.resolve(tests.getName()).resolve(ReportFiles.HTML));
    }

    private static JsonNode rule(JsonNode report, String id) {
        return StreamSupport.stream(report.get("rules").spliterator(), false)
                .filter(rule -> rule.get("id").asText().equals(id))
                .findFirst()
                .orElseThrow();
    }

    static class Kept extends StoreTck {
        @Override
        public StoreHarness harness() {
            return new Harness(0);
        }
    }

    static class Served extends NetworkTck {
        @Override
        public NetworkHarness harness() {
            return new MemoryHarness();
        }
    }

    static class Broken extends StoreTck {
        @Override
        public StoreHarness harness() {
            return new Harness(1);
        }
    }

    static class Overriding extends StoreTck {
        @Override
        public StoreHarness harness() {
            return new Harness(1);
        }

        @Rule("OBX-LIMIT-1")
        @Override
        public void thereAreNeverMoreThanTheLimit(TestOutbox outbox) {
            // What somebody might do about a rule he does not like.
        }
    }

    /** Wraps the in-memory store, without its operations, and takes more than was asked for. */
    private record Harness(MemoryHarness memory, int tooMany) implements StoreHarness {
        Harness(int tooMany) {
            this(new MemoryHarness(), tooMany);
        }

        @Override
        public String createOutbox() {
            return memory.createOutbox();
        }

        @Override
        public Store open(String address) throws Exception {
            return new Greedy(memory.open(address), tooMany);
        }

        @Override
        public WriteTransaction begin(String address) throws Exception {
            return memory.begin(address);
        }

        @Override
        public Optional<Duration> lease() {
            return Optional.empty();
        }

        @Override
        public Optional<String> backend(String address) {
            return Optional.of("memory 1");
        }

        @Override
        public void dropOutbox(String address) {
            memory.dropOutbox(address);
        }
    }

    private record Greedy(Store store, int tooMany) implements Store {
        @Override
        public Capabilities capabilities() {
            return Capabilities.all()
                    .without(Capability.OPERATIONS, "it is <b>small</b>")
                    .without(Capability.BROWSING, "it is small")
                    .without(Capability.FINDING, "it is small")
                    .without(Capability.HOLDERS, "it is small")
                    .without(Capability.WAKE_UP, "it is small");
        }

        @Override
        public MessageBatch checkout(Set<String> topics, int limit) {
            return store.checkout(topics, limit < 1 || limit > 100 ? limit : limit + tooMany);
        }

        @Override
        public void close() {
            store.close();
        }
    }
}
