package dev.outbox.tck.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.outbox.store.memory.MemoryOutbox;
import dev.outbox.tck.memory.MemoryHarness;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The jar, run as a process, in a folder where nothing else is. */
class RunnerTest {
    private static final Path JAR = Path.of("target", "outbox-tck-runner.jar").toAbsolutePath();
    private static final String MEMORY = MemoryHarness.class.getName();
    private static final String WITH_MEMORY =
            whereIs(MemoryHarness.class) + File.pathSeparator + whereIs(MemoryOutbox.class);
    private static final String OURS = whereIs(RunnerTest.class) + File.pathSeparator + WITH_MEMORY;

    @TempDir
    private Path folder;

    private static String whereIs(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString();
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    private record Ended(int code, String output) {}

    @Test
    void aStoreThatKeepsTheContractIsConformant() throws Exception {
        Ended run = run("--harness", MEMORY, "-cp", WITH_MEMORY, "--level", "1", "--seed", "42");
        assertEquals(0, run.code(), run.output());
        assertTrue(run.output().contains("L1  OBX-TX-1       ok"), "progress: " + run.output());
        assertTrue(run.output().contains("Conformant at level 1"), run.output());
        JsonNode report = report("outbox-tck-report");
        assertEquals(1, report.at("/verdict/level").asInt());
        assertEquals(42, report.at("/run/seed").asLong());
        assertTrue(Files.exists(folder.resolve("outbox-tck-report/conformance.html")), "the page");
    }

    @Test
    void anExplorationTakesWhatItIsGiven() throws Exception {
        Ended run = run(
                "--harness",
                MEMORY,
                "-cp",
                WITH_MEMORY,
                "--level",
                "2",
                "--rule",
                "OBX-TX-3",
                "--seed",
                "42",
                "--steps",
                "200",
                "--minutes",
                "1");
        assertEquals(0, run.code(), run.output());
        String seen = Files.readString(folder.resolve("outbox-tck-report/conformance.json"));
        assertTrue(seen.contains("explored ") && seen.contains(" steps, in which "), seen);
        assertTrue(seen.contains("seed 42"), seen);
    }

    @Test
    void otherProcessesFindTheHarness() throws Exception {
        String harness = Harnesses.Greedy.class.getName();
        Ended run = run("--harness", harness, "--class-path", OURS, "--rule", "OBX-CLOSE-2,OBX-ID-*", "--level", "3");
        assertEquals(0, run.code(), run.output());
        assertTrue(run.output().contains("L3  OBX-CLOSE-2    ok"), run.output());
        assertFalse(run.output().contains("OBX-TX-1 "), "only these rules: " + run.output());
        assertTrue(run.output().contains("3 of 3 rules asked for are kept; no verdict"), run.output());
    }

    @Test
    void aStoreWithAnEndpointIsTriedOnANetworkThatFails() throws Exception {
        Ended run = run("--harness", MEMORY, "-cp", WITH_MEMORY, "--rule", "OBX-CLOSE-1");
        assertEquals(0, run.code(), run.output());
        assertTrue(run.output().contains("L4  OBX-CLOSE-1    ok"), run.output());
        assertEquals("pass", levelOf("OBX-CLOSE-1", 4), "level 4 in the report");
    }

    @Test
    void aStoreWithoutAnEndpointStopsAtLevel3() throws Exception {
        String harness = Harnesses.Greedy.class.getName();
        Ended run = run("--harness", harness, "-cp", OURS, "--rule", "OBX-CLOSE-2");
        assertEquals(0, run.code(), run.output());
        assertFalse(run.output().contains("L4 "), run.output());
        assertCannotRun(
                harness + " cannot take level 4: it has to implement dev.outbox.tck.NetworkHarness",
                "--harness",
                harness,
                "-cp",
                OURS,
                "--level",
                "4",
                "--rule",
                "OBX-CLOSE-2");
    }

    @Test
    void aStoreWhoseServerNobodyMayKillStopsAtLevel4() throws Exception {
        Ended run = run("--harness", MEMORY, "-cp", WITH_MEMORY, "--rule", "OBX-CLOSE-1,OBX-DUR-2");
        assertEquals(0, run.code(), run.output());
        assertFalse(run.output().contains("L5 "), run.output());
        assertTrue(run.output().contains("1 of 2 rules asked for is kept; no verdict"), run.output());
        assertCannotRun(
                MEMORY + " cannot take level 5: it has to implement dev.outbox.tck.KillableServerHarness",
                "--harness",
                MEMORY,
                "-cp",
                WITH_MEMORY,
                "--level",
                "5",
                "--rule",
                "OBX-CLOSE-1");
    }

    @Test
    void aStoreWhoseServerDoesNotFailOverStopsAtLevel5() throws Exception {
        String harness = Harnesses.Killable.class.getName();
        assertCannotRun(
                harness + " cannot take level 6: it has to implement dev.outbox.tck.FailoverHarness",
                "--harness",
                harness,
                "-cp",
                OURS,
                "--level",
                "6",
                "--rule",
                "OBX-CLOSE-1");
    }

    @Test
    void aViolationIsShown() throws Exception {
        String harness = Harnesses.Greedy.class.getName();
        Ended run = run("--harness", harness, "-cp", OURS, "--rule", "OBX-LIMIT-1", "--report", "here");
        assertEquals(1, run.code(), run.output());
        assertTrue(run.output().contains("OBX-LIMIT-1 is broken: A checkout never returns more"), run.output());
        assertTrue(run.output().contains("a batch of at most 1 has 2 messages"), run.output());
        assertTrue(run.output().contains("checked out"), "its history: " + run.output());
        assertEquals(1, report("here").at("/verdict/rules/fail").asInt());
    }

    @Test
    void whatCannotBeRunIsSaid() throws Exception {
        assertCannotRun("Missing required option: '--harness=CLASS'");
        assertCannotRun("There is no class com.example.Nothing", "--harness", "com.example.Nothing");
        assertCannotRun("java.lang.String is no harness", "--harness", "java.lang.String");
        assertCannotRun(
                "--class-path names nowhere.jar, which is not there", "--harness", MEMORY, "-cp", "nowhere.jar");
        assertCannotRun("--level is 7; expected", "--harness", MEMORY, "-cp", WITH_MEMORY, "--level", "7");
        assertCannotRun("Unknown options: '--levels', '3'", "--harness", MEMORY, "--levels", "3");
        assertCannotRun(
                "Invalid value for option '--seed'", "--harness", MEMORY, "-cp", WITH_MEMORY, "--seed", "often");
        assertCannotRun("--steps is 0; expected", "--harness", MEMORY, "-cp", WITH_MEMORY, "--steps", "0");
        assertCannotRun("--minutes is -1.0; expected", "--harness", MEMORY, "-cp", WITH_MEMORY, "--minutes", "-1");
        assertCannotRun(
                "--patience is 0; expected at least 1 second",
                "--harness",
                MEMORY,
                "-cp",
                WITH_MEMORY,
                "--patience",
                "0");
        assertCannotRun("which is no rule", "--harness", MEMORY, "-cp", WITH_MEMORY, "--rule", "OBX-NOTHING-1");
        assertCannotRun("the server is down", "--harness", Harnesses.Unreachable.class.getName(), "--class-path", OURS);
    }

    @Test
    void aNewcomerIsTold() throws Exception {
        Ended help = run("--help");
        assertEquals(0, help.code(), help.output());
        for (String word : List.of("dev.outbox.tck.StoreHarness", "--class-path", "Exit codes:", "Examples:")) {
            assertTrue(help.output().contains(word), word + " in " + help.output());
        }
        assertTrue(run("--version").output().matches("(?s)outbox-tck-runner \\d+\\..*"), "its version");
    }

    @Test
    void surroundingsThatFailBreakNoRule() throws Exception {
        String harness = Harnesses.Failing.class.getName();
        Ended run = run("--harness", harness, "-cp", OURS, "--rule", "OBX-ID-*", "--level", "1");
        assertEquals(3, run.code(), run.output());
        assertTrue(run.output().contains("is neither kept nor broken"), run.output());
        assertTrue(run.output().contains("of 2 rules asked for are kept; no verdict"), run.output());
    }

    private void assertCannotRun(String because, String... arguments) throws Exception {
        Ended run = run(arguments);
        assertEquals(2, run.code(), run.output());
        assertTrue(run.output().contains(because), because + " in " + run.output());
        assertFalse(run.output().contains("Exit codes:"), "the help hides it: " + run.output());
    }

    private Ended run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar", JAR.toString()));
        command.addAll(Arrays.asList(arguments));
        Path output = folder.resolve("output.txt");
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        if (!process.waitFor(5, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new AssertionError("did not end: " + Files.readString(output));
        }
        return new Ended(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
    }

    private String levelOf(String id, int level) throws IOException {
        for (JsonNode rule : report("outbox-tck-report").get("rules")) {
            if (rule.get("id").asText().equals(id)) {
                return rule.at("/levels/" + level).asText();
            }
        }
        return "no such rule";
    }

    private JsonNode report(String name) throws IOException {
        return new ObjectMapper()
                .readTree(folder.resolve(name).resolve("conformance.json").toFile());
    }
}
