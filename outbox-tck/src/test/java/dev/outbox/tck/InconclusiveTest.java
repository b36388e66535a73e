package dev.outbox.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.outbox.Capabilities;
import dev.outbox.MessageBatch;
import dev.outbox.Store;
import dev.outbox.tck.internal.report.ReportFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

/** What the surroundings of a store do is not held against it. */
class InconclusiveTest {
    private static final String TEST = "aHeldMessageIsGivenToNobodyElse";
    private static final AtomicInteger STALLS_LEFT = new AtomicInteger();

    @TempDir
    private Path folder;

    @BeforeEach
    void noStalls() {
        STALLS_LEFT.set(0);
    }

    @Test
    void aHarnessThatFailsSaysNothingOfTheStore() throws Exception {
        String message = failure(run(Unreachable.class));
        assertTrue(message.contains("is neither kept nor broken"), message);
        assertTrue(message.contains("begin(…) failed: java.io.IOException: connection refused"), message);
        assertEquals("inconclusive", status(Unreachable.class));
    }

    @Test
    void aTestIsRunAgainThatFailedWhileItsProcessStoodStill() throws Exception {
        STALLS_LEFT.set(1);
        Event finished = run(Stalled.class);
        assertEquals(
                TestExecutionResult.Status.SUCCESSFUL,
                finished.getRequiredPayload(TestExecutionResult.class).getStatus(),
                "the second run, in which nothing stood still");
        assertEquals(0, STALLS_LEFT.get(), "stalls left: the first run had one");
        assertEquals("pass", status(Stalled.class));
    }

    @Test
    void aProcessThatStandsStillEachTimeProvesNothing() throws Exception {
        STALLS_LEFT.set(Integer.MAX_VALUE);
        String message = failure(run(Stalled.class));
        assertTrue(message.matches("(?s)OBX-EXCL-1 is neither kept nor broken.*did not run for \\d+ ms.*"), message);
        assertFalse(message.contains("is broken"), message);
        assertEquals("inconclusive", status(Stalled.class));
    }

    private Event run(Class<?> type) {
        return EngineTestKit.engine("junit-jupiter")
                .configurationParameter(StoreTck.REPORT, folder.toString())
                .selectors(selectMethod(type, TEST, "dev.outbox.tck.TestOutbox"))
                .execute()
                .testEvents()
                .finished()
                .list()
                .get(0);
    }

    private static String failure(Event finished) {
        return finished.getRequiredPayload(TestExecutionResult.class)
                .getThrowable()
                .map(Throwable::getMessage)
                .orElse("nothing failed");
    }

    private String status(Class<?> type) throws IOException {
        JsonNode report = new ObjectMapper()
                .readTree(
                        folder.resolve(type.getName()).resolve(ReportFiles.JSON).toFile());
        assertTrue(Files.exists(folder.resolve(type.getName()).resolve(ReportFiles.HTML)), "the page");
        JsonNode rule = StreamSupport.stream(report.get("rules").spliterator(), false)
                .filter(each -> each.get("id").asText().equals("OBX-EXCL-1"))
                .findFirst()
                .orElseThrow();
        return StreamSupport.stream(rule.get("tests").spliterator(), false)
                .filter(each -> each.get("name").asText().equals(TEST))
                .map(each -> each.get("status").asText())
                .findFirst()
                .orElseThrow();
    }

    static class Unreachable extends StoreTck {
        @Override
        public StoreHarness harness() {
            return new Harness() {
                @Override
                public WriteTransaction begin(String address) throws IOException {
                    throw new IOException("connection refused");
                }
            };
        }
    }

    static class Stalled extends StoreTck {
        @Override
        public StoreHarness harness() {
            return new Harness();
        }
    }

    /** Of a store that keeps its promises, in a process that stands still after a checkout that took something. */
    private static class Harness implements StoreHarness {
        private final LeaseTckTest.Harness sound = new LeaseTckTest.Harness();

        @Override
        public String createOutbox() {
            return sound.createOutbox();
        }

        @Override
        public Store open(String address) throws IOException {
            Store store = sound.open(address);
            return new Store() {
                @Override
                public Capabilities capabilities() {
                    return store.capabilities();
                }

                @Override
                public MessageBatch checkout(Set<String> topics, int limit) {
                    MessageBatch batch = store.checkout(topics, limit);
                    if (!batch.messages().isEmpty() && STALLS_LEFT.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                        standStill(Duration.ofMillis(600));
                        batch.close(); // as if the lease had run out meanwhile, which it may have
                    }
                    return batch;
                }

                @Override
                public void close() {
                    store.close();
                }
            };
        }

        @Override
        public WriteTransaction begin(String address) throws IOException {
            return sound.begin(address);
        }

        @Override
        public Optional<Duration> lease() {
            return sound.lease();
        }

        @Override
        public void dropOutbox(String address) {
            sound.dropOutbox(address);
        }

        /** As a machine does that is suspended. */
        private static void standStill(Duration time) {
            long pid = ProcessHandle.current().pid();
            String seconds = time.toMillis() / 1_000.0 + "";
            try {
                new ProcessBuilder("sh", "-c", "kill -STOP " + pid + "; sleep " + seconds + "; kill -CONT " + pid)
                        .start()
                        .waitFor();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
