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
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadmeTest {
    /** The tests run in the folder of their module. */
    private static final Path ROOT = Path.of("..", "..");

    private static final Path SOURCES = Path.of("src", "test", "java", "dev", "outbox", "examples", "quickstart");

    @Test
    void theProgramOfTheReadmeIsTheOneThatTheBuildFormats() throws IOException {
        assertEquals(formatted("ReadmeExample.java"), program(), "the second Java of README.md");
    }

    @Test
    void theTestOfTheReadmeIsOneOfThese() throws IOException {
        List<String> snippets = java(Files.readString(ROOT.resolve("README.md")));
        assertEquals(formatted("ReadmeServiceTest.java"), snippets.get(2), "the third Java of README.md");
    }

    private static String formatted(String file) throws IOException {
        String source = Files.readString(SOURCES.resolve(file));
        return source.substring(source.indexOf("import ")).strip();
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
        return java(Files.readString(ROOT.resolve("README.md"))).get(1);
    }

    private static List<String> java(String document) {
        return Pattern.compile("^```java\n(.*?)\n```$", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(document)
                .results()
                .map(block -> block.group(1))
                .toList();
    }

    private static String run(String tool, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", tool).toString());
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(180, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), tool + " said: " + said);
        return said;
    }
}
