package dev.outbox.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadmeTest {
    /** The tests run in the folder of their module. */
    private static final Path ROOT = Path.of("..", "..");

    private static final Path SOURCE =
            Path.of("src", "test", "java", "dev", "outbox", "examples", "quickstart", "ReadmeExample.java");

    @Test
    void theProgramOfTheReadmeIsTheOneThatTheBuildFormats() throws IOException {
        String source = Files.readString(SOURCE);
        String program = source.substring(source.indexOf("import ")).strip();
        assertEquals(program, program(), "the first Java of README.md and " + SOURCE);
    }

    /** As whoever reads it would try it: pasted into a file, compiled, and run with nothing but the artifacts named there. */
    @Test
    void theProgramOfTheReadmeCompilesAndRunsAsItStands(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("ReadmeExample.java");
        Files.writeString(file, program());
        String path = System.getProperty("java.class.path");
        run("javac", "-cp", path, "-d", folder.toString(), file.toString());
        String said = run("java", "-cp", folder + System.getProperty("path.separator") + path, "ReadmeExample");
        assertTrue(said.contains("sent Order[number=SO-1, customer=C-1]"), said);
    }

    private static String program() throws IOException {
        String readme = Files.readString(ROOT.resolve("README.md"));
        int start = readme.indexOf("```java\n") + "```java\n".length();
        return readme.substring(start, readme.indexOf("\n```", start));
    }

    private static String run(String tool, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", tool).toString());
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), tool + " said: " + said);
        return said;
    }
}
