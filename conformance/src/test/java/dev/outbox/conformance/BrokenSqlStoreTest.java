package dev.outbox.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.testkit.engine.EngineTestKit;

/**
 * A zoo over a real database: the store of {@code docs/WRITING-A-STORE.md} with one mistake each. Every store fails the rules it
 * declares to break, and no others, of the first level; the store without a mistake fails none.
 */
@Tag("conformance")
class BrokenSqlStoreTest {
    private static final String STORE = "zoo.store";
    private static final int AT_A_TIME = 4;
    private static final Path REPORTS = Path.of("target", "zoo");

    private static final BrokenSqlStore SOUND = BrokenSqlStore.that("keeps the contract");

    private static final List<BrokenSqlStore> ALL = List.of(
            BrokenSqlStore.that("takes partitions that are held")
                    .with("HsqlStore", " AND held_until <= UNIX_MILLIS()", "")
                    .breaks("OBX-CLOSE-3", "OBX-EXCL-1", "OBX-EXCL-2", "OBX-EXCL-3", "OBX-FENCE-1", "OBX-ORDER-3"),
            BrokenSqlStore.that("releases at checkout")
                    .with("HsqlStore", "update.setLong(2, lease.toMillis());", "update.setLong(2, 0);")
                    .with("HsqlBatch", "update.setLong(1, store.lease().toMillis());", "update.setLong(1, 0);")
                    .with("HsqlBatch", " AND held_until > UNIX_MILLIS()", "")
                    .breaks("OBX-CLOSE-3", "OBX-EXCL-1", "OBX-EXCL-2", "OBX-EXCL-3", "OBX-FENCE-1", "OBX-ORDER-3"),
            BrokenSqlStore.that("commits for the application")
                    .with("HsqlOutbox", "insert.executeUpdate();", "insert.executeUpdate();\nconnection.commit();")
                    .breaks("OBX-PAYLOAD-2", "OBX-TX-1", "OBX-TX-2", "OBX-TX-4", "OBX-TX-7"),
            BrokenSqlStore.that("settles what it does not hold any more")
                    .with(
                            "HsqlBatch",
                            "if (freeAll(connection) != partitions.size()) {",
                            "if (freeAll(connection) < 0) {")
                    .with("HsqlBatch", "if (lost) {", "if (false) {")
                    .breaks("OBX-CLOSE-1", "OBX-FENCE-1"),
            BrokenSqlStore.that("deletes what failed")
                    .with(
                            "HsqlBatch",
                            "\"UPDATE outbox_message SET attempts = attempts + 1 WHERE id = ?\"",
                            "\"DELETE FROM outbox_message WHERE id = ?\"")
                    .breaks(
                            "OBX-CLOSE-1",
                            "OBX-DEAD-1",
                            "OBX-ID-1",
                            "OBX-LIFE-2",
                            "OBX-LIFE-3",
                            "OBX-RETRY-1",
                            "OBX-RETRY-2",
                            "OBX-RETRY-3",
                            "OBX-RETRY-4",
                            "OBX-RETRY-6"),
            BrokenSqlStore.that("leaves dead letters in the way")
                    .with(
                            "HsqlBatch",
                            "execute(connection, \"DELETE FROM outbox_message WHERE id = ?\", id);",
                            "if (!(outcome instanceof Outcome.DeadLettered))"
                                    + " execute(connection, \"DELETE FROM outbox_message WHERE id = ?\", id);")
                    .with(
                            "HsqlBatch",
                            "INSERT INTO outbox_dead_letter SELECT",
                            "INSERT INTO outbox_dead_letter SELECT 0 *")
                    .breaks("OBX-CLOSE-1", "OBX-CLOSE-6", "OBX-DEAD-1", "OBX-ID-2", "OBX-LIFE-3", "OBX-RETRY-6"),
            BrokenSqlStore.that("reads backwards")
                    .with(
                            "HsqlStore",
                            "ORDER BY topic, part, position LIMIT",
                            "ORDER BY topic, part, position DESC LIMIT")
                    .breaks(
                            "OBX-CLOSE-1",
                            "OBX-CLOSE-2",
                            "OBX-CLOSE-3",
                            "OBX-CLOSE-6",
                            "OBX-DEAD-1",
                            "OBX-FENCE-1",
                            "OBX-LIFE-3",
                            "OBX-LIFE-5",
                            "OBX-ORDER-1",
                            "OBX-ORDER-2",
                            "OBX-ORDER-3",
                            "OBX-ORDER-4",
                            "OBX-RETRY-1",
                            "OBX-RETRY-2",
                            "OBX-RETRY-3",
                            "OBX-RETRY-4"),
            BrokenSqlStore.that("never waits")
                    .with("HsqlBatch", "SET ready_at = UNIX_MILLIS() + ?", "SET ready_at = 0 * ?")
                    .breaks("OBX-CLOSE-1", "OBX-LIFE-3", "OBX-RETRY-2", "OBX-RETRY-3"),
            BrokenSqlStore.that("truncates payloads")
                    .with(
                            "HsqlOutbox",
                            "insert.setBytes(5, message.payload());",
                            "insert.setBytes(5, java.util.Arrays.copyOf(message.payload(),"
                                    + " Math.min(65_536, message.payload().length)));")
                    .breaks("OBX-PAYLOAD-2"));

    private static final Map<BrokenSqlStore, FutureTask<JsonNode>> REPORTS_BY_STORE = new LinkedHashMap<>();

    static Stream<BrokenSqlStore> stores() {
        return ALL.stream();
    }

    @ParameterizedTest
    @MethodSource("stores")
    void failsWhatItDeclares(BrokenSqlStore store) throws Exception {
        Map<String, String> failed = failed(store);
        assertEquals(
                new TreeSet<>(store.rules()),
                failed.keySet(),
                () -> "rules that a store breaks that " + store + "; what was seen: " + failed);
        failed.forEach((rule, seen) -> assertFalse(seen.isBlank(), "what was seen of " + rule));
    }

    @Test
    void theStoreWithoutAMistakeFailsNothing() throws Exception {
        JsonNode report = report(SOUND);
        assertEquals(Map.of(), failed(SOUND), "rules, and what was seen");
        assertEquals(1, report.at("/verdict/level").asInt(), "level");
        assertTrue(report.at("/verdict/rules/pass").asInt() > 30, "rules kept: " + report.at("/verdict/rules"));
    }

    @BeforeAll
    static void runTheSuiteOnAll() {
        System.setProperty(StoreTck.PATIENCE, "10"); // what must happen does not happen here
        ExecutorService threads = Executors.newFixedThreadPool(AT_A_TIME);
        Stream.concat(Stream.of(SOUND), ALL.stream()).forEach(store -> {
            FutureTask<JsonNode> report = new FutureTask<>(() -> run(store));
            REPORTS_BY_STORE.put(store, report);
            threads.execute(() -> {
                // The suite counts the threads of its group.
                Thread thread = new Thread(new ThreadGroup("zoo"), report, "zoo: " + store);
                thread.start();
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        });
        threads.shutdown();
    }

    @AfterAll
    static void showTheTable() throws Exception {
        StringBuilder table = new StringBuilder("Broken stores in HSQLDB and the rules they failed, as declared:\n");
        for (BrokenSqlStore store : ALL) {
            table.append(String.format("  %-40s %s%n", store, failed(store).keySet()));
        }
        System.out.print(table);
        System.clearProperty(StoreTck.PATIENCE);
    }

    private static JsonNode run(BrokenSqlStore store) throws Exception {
        Path folder = REPORTS.resolve(store.toString().replace(' ', '-'));
        EngineTestKit.engine("junit-jupiter")
                .configurationParameter(STORE, store.toString())
                .configurationParameter(StoreTck.LEVEL, "1")
                .configurationParameter(StoreTck.REPORT, folder.toString())
                .selectors(selectClass(ZooTck.class))
                .execute();
        return new ObjectMapper()
                .readTree(folder.resolve(ZooTck.class.getName())
                        .resolve("conformance.json")
                        .toFile());
    }

    private static JsonNode report(BrokenSqlStore store) throws Exception {
        FutureTask<JsonNode> report = REPORTS_BY_STORE.get(store);
        if (report == null) {
            throw new AssertionError(store + " was not run");
        }
        return report.get();
    }

    /** The rules that failed, and what proves it. */
    private static SortedMap<String, String> failed(BrokenSqlStore store) throws Exception {
        SortedMap<String, String> failed = new TreeMap<>();
        for (JsonNode rule : report(store).get("rules")) {
            if (rule.get("status").asText().equals("fail")) {
                failed.put(
                        rule.get("id").asText(),
                        StreamSupport.stream(rule.get("tests").spliterator(), false)
                                .map(test -> test.at("/witness/observed").asText())
                                .filter(seen -> !seen.isBlank())
                                .collect(Collectors.joining("; ")));
            }
        }
        return failed;
    }

    /** Run in here only: nested, so that it is not found as a test of its own. */
    @ExtendWith(StoreByName.class)
    static class ZooTck extends StoreTck {
        private final StoreHarness harness;

        ZooTck(StoreHarness harness) {
            this.harness = harness;
        }

        @Override
        public StoreHarness harness() {
            return harness;
        }
    }

    /** Tells the suite which store it is run on. */
    static final class StoreByName implements ParameterResolver {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == StoreHarness.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            String name = context.getConfigurationParameter(STORE).orElseThrow();
            return Stream.concat(ALL.stream(), Stream.of(SOUND))
                    .filter(store -> store.toString().equals(name))
                    .findFirst()
                    .orElseThrow()
                    .harness();
        }
    }
}
