package dev.outbox.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.processes.Await;
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
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs of {@code docs/KAFKA.md} and the first one of the README compile and run as they are. */
class DocumentTest {
    private static final Path ROOT = Path.of("..", "..");
    private static final String PATH = System.getProperty("java.class.path");
    private static final String TOPIC = "orders";

    @TempDir
    Path folder;

    private final String server = KafkaServer.shared();
    private final KafkaTopics topics = new KafkaTopics(server);

    @BeforeEach
    void create() throws Exception {
        topics.create(TOPIC);
    }

    @AfterEach
    void delete() throws Exception {
        topics.delete(TOPIC);
    }

    @Test
    void theProgramsRun() throws Exception {
        String published = run("KafkaExample", server);
        assertTrue(published.contains("published as orders-"), published);
        run("KafkaExample", server);
        String consumed = run("KafkaConsumerExample", server, "2");
        assertEquals(2, consumed.split("bill \\{\"number\":\"SO-1\"", -1).length - 1, consumed);
    }

    /** As a reader tries it: pasted into a file, compiled, and left running. */
    @Test
    void theProgramOfTheReadmePublishes() throws Exception {
        compile("Shop", program("README.md", ""));
        Path said = folder.resolve("said");
        Process shop = new ProcessBuilder(java("Shop", server))
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        try {
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            Await.until("the order is in Kafka", () -> {
                records.addAll(topics.records(TOPIC));
                return !records.isEmpty() || !shop.isAlive();
            });
            assertEquals(1, records.size(), "records; the program said " + Files.readString(said));
            assertEquals("C-1", KafkaTopics.text(records.get(0).key()));
            assertEquals(
                    "{\"number\":\"SO-1\",\"customer\":\"C-1\"}",
                    KafkaTopics.text(records.get(0).value()));
        } finally {
            shop.destroyForcibly().waitFor();
        }
    }

    /** The first program of a document after a text. */
    private static String program(String document, String after) throws IOException {
        Matcher program = Pattern.compile(Pattern.quote(after) + "```java\n(.*?)\n```", Pattern.DOTALL)
                .matcher(Files.readString(ROOT.resolve(document)));
        assertTrue(program.find(), document + " has " + after + " and a program");
        return program.group(1);
    }

    private String run(String name, String... arguments) throws Exception {
        compile(name, program("docs/KAFKA.md", "<!-- file: " + name + ".java -->\n"));
        return said(java(name, arguments));
    }

    private void compile(String name, String program) throws Exception {
        Path file = Files.writeString(folder.resolve(name + ".java"), program);
        said(List.of(tool("javac"), "-cp", PATH, "-d", folder.toString(), file.toString()));
    }

    private List<String> java(String name, String... arguments) {
        List<String> command = new ArrayList<>(
                List.of(tool("java"), "-cp", folder + System.getProperty("path.separator") + PATH, name));
        command.addAll(List.of(arguments));
        return command;
    }

    private static String tool(String name) {
        return Path.of(System.getProperty("java.home"), "bin", name).toString();
    }

    private static String said(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(2, TimeUnit.MINUTES));
        assertEquals(0, process.exitValue(), command.get(0) + " said: " + said);
        return said;
    }
}
