package dev.outbox.opentelemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.processes.ChildJvm;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Java agent of OpenTelemetry and the outbox make one story of a message. */
class AgentTest {
    @TempDir
    Path folder = Path.of("");

    @Test
    @Tag("versions")
    void theAgentsSpanOfTheBrokersClientIsWithinSend() throws Exception {
        String agent = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(path -> path.contains("opentelemetry-javaagent"))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no agent: run the tests with -Pversions"));
        Path output = folder.resolve("output");
        Process process = ChildJvm.of(
                        AgentMain.class,
                        256,
                        List.of(
                                "-javaagent:" + agent,
                                "-Dotel.traces.exporter=none",
                                "-Dotel.metrics.exporter=none",
                                "-Dotel.logs.exporter=none"),
                        List.of())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(240, TimeUnit.SECONDS);
        process.destroyForcibly().waitFor();
        String printed = Files.readString(output);
        assertTrue(ended && process.exitValue() == 0, printed);
        Map<String, String> said = new HashMap<>();
        printed.lines()
                .filter(line -> line.startsWith("of the test: "))
                .map(line -> line.split(" ", -1))
                .forEach(words -> said.put(words[3], words[4]));
        assertEquals("1", said.get("published"), printed);
        assertEquals(trace(said, "request"), trace(said, "message"), printed);
        assertNotEquals(span(said, "request"), span(said, "message"), printed);
        assertNotEquals(trace(said, "request"), trace(said, "send"), printed);
        assertEquals(trace(said, "send"), trace(said, "broker"), printed);
        assertNotEquals(span(said, "send"), span(said, "broker"), printed);
        for (String each : said.keySet()) {
            assertTrue(each.equals("published") || !span(said, each).startsWith("0000000000000000"), printed);
        }
    }

    private static String trace(Map<String, String> said, String what) {
        return said.getOrDefault(what, "--").split("-", -1)[1];
    }

    private static String span(Map<String, String> said, String what) {
        return said.getOrDefault(what, "--").split("-", -1)[2];
    }
}
