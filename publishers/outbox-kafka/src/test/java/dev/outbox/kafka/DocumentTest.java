package dev.outbox.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.servers.KafkaServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs of {@code docs/KAFKA.md} compile and run as they are, and the lines of the README are theirs. */
class DocumentTest {
    private static final Path ROOT = Path.of("..", "..");
    private static final String PATH = System.getProperty("java.class.path");

    @Test
    void theProgramsRun(@TempDir Path folder) throws Exception {
        KafkaServer server = SharedKafka.server();
        new KafkaTopics(server).create("orders");
        String published = run(folder, "KafkaExample", server.direct());
        assertTrue(published.contains("published as orders-"), published);
        run(folder, "KafkaExample", server.direct());
        String consumed = run(folder, "KafkaConsumerExample", server.direct(), "2");
        assertEquals(2, consumed.split("bill \\{\"number\":\"SO-1\"", -1).length - 1, consumed);
    }

    @Test
    void theReadmeShowsLinesOfTheProgram() throws IOException {
        String readme = Files.readString(ROOT.resolve("README.md"));
        String fragment = readme.substring(readme.indexOf("    KafkaPublisher<Order> kafka"));
        List<String> lines = fragment.lines()
                .takeWhile(line -> line.startsWith("    "))
                .map(String::strip)
                .toList();
        assertTrue(lines.size() > 4, "lines: " + lines);
        String program = program("KafkaExample").replaceAll("\\s+", "");
        for (String line : lines) {
            String code = line.replaceAll("\\s+|;$|// .*", "");
            assertTrue(program.contains(code), "the program has: " + line);
        }
    }

    private static String program(String name) throws IOException {
        Matcher program = Pattern.compile("<!-- file: " + name + "\\.java -->\n```java\n(.*?)\n```", Pattern.DOTALL)
                .matcher(Files.readString(ROOT.resolve("docs").resolve("KAFKA.md")));
        assertTrue(program.find(), name + " is in docs/KAFKA.md");
        return program.group(1);
    }

    private static String run(Path folder, String name, String... arguments) throws Exception {
        Path file = folder.resolve(name + ".java");
        Files.writeString(file, program(name));
        start("javac", List.of("-cp", PATH, "-d", folder.toString(), file.toString()));
        List<String> all = new ArrayList<>(List.of("-cp", folder + System.getProperty("path.separator") + PATH, name));
        all.addAll(List.of(arguments));
        return start("java", all);
    }

    private static String start(String tool, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", tool).toString());
        command.addAll(arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), tool + " said: " + said);
        return said;
    }
}
