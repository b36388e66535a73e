package dev.outbox.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The real thing, on H2: two processes, a kill, and a count. */
@Timeout(300)
class QuickstartTest {
    /** What is in orders.csv, counted once with grep and not by the parser. */
    static final int AUTHORISED = 2_801;

    static final int DECLINED = 194;
    private static final List<String> BROKEN = List.of(
            "skipped  orders.csv:418: quantity is 'two', expected a whole number from 1 to 100000",
            "skipped  orders.csv:1034: placed_at is '02.03.2026 10:07', expected an ISO time such as"
                    + " 2026-03-02T08:14:07Z",
            "skipped  orders.csv:1561: 5 fields, expected 8 separated by commas: " + OrderLine.HEADER,
            "skipped  orders.csv:2205: customer is '', expected 1 to 60 of the characters A-Z a-z 0-9 . _ -",
            "skipped  orders.csv:2872: payment is 'pending?', expected authorised or declined");

    @TempDir
    Path dir;

    @Test
    void publishesTheBundledOrdersAcrossAKill() {
        QuickstartRun run = QuickstartRun.of("--dir", dir.toString());
        run.assertGood(AUTHORISED, DECLINED);
        run.assertKilledInTheMiddle(AUTHORISED);
        assertEquals(
                BROKEN,
                run.out().lines().filter(line -> line.startsWith("skipped")).toList());
    }

    @Test
    void takesAnotherFile() throws IOException {
        QuickstartRun run =
                QuickstartRun.of("--dir", dir.toString(), orders(30, 10).toString());
        run.assertGood(30, 10);
        run.assertKilledInTheMiddle(30);
    }

    @Test
    void killsTheRelayBetweenTheOnlyTwoOrders() throws IOException {
        QuickstartRun run =
                QuickstartRun.of("--dir", dir.toString(), orders(2, 0).toString());
        run.assertGood(2, 0);
        run.assertKilledInTheMiddle(2);
    }

    @Test
    void saysThatOneOrderIsTooFewToKillAnything() throws IOException {
        QuickstartRun run =
                QuickstartRun.of("--dir", dir.toString(), orders(1, 1).toString());
        run.assertGood(1, 1);
        assertTrue(run.out().contains("no: fewer than two orders to commit"), run.out());
    }

    @Test
    void nothingCommittedIsNothingPublished() throws IOException {
        QuickstartRun.of("--dir", dir.toString(), orders(0, 5).toString()).assertGood(0, 5);
    }

    @Test
    void showsHelp() {
        QuickstartRun run = QuickstartRun.of("--help");
        assertEquals(0, run.exitCode());
        assertTrue(run.out().contains("--url <URL>"), run.out());
    }

    @Test
    void saysInOneLineWhatIsWrongWithTheArguments() throws IOException {
        refuses("Unknown option --speed. Expected --url, --broker, --dir or --help. See --help.", "--speed", "9");
        refuses("Option --url needs a URL behind it. See --help.", "--url");
        refuses(
                "Unknown broker carrier. Expected kafka, rabbitmq, nats, sqs, or one of them with its address, as in"
                        + " kafka=localhost:9092. See --help.",
                "--broker",
                "carrier=pigeon");
        refuses("Two files of orders: a.csv and b.csv. Expected one. See --help.", "a.csv", "b.csv");
        Path missing = dir.resolve("missing.csv");
        refuses("Cannot read " + missing + ": expected a file of orders. See --help.", missing.toString());
        refuses("Cannot read " + dir + ": expected a file of orders. See --help.", dir.toString());
        refuses(
                "No JDBC driver here opens jdbc:oracle:thin:…; expected jdbc:postgresql://..., jdbc:mysql://..., jdbc:mariadb://..., jdbc:h2:..., redis://... or mongodb://... See --help.",
                "--dir",
                dir.toString(),
                "--url",
                "jdbc:oracle:thin:root/secret@db:1521/shop");
    }

    @Test
    void aDatabaseThatIsNotThereIsOneLineWithoutThePassword() {
        QuickstartRun run = QuickstartRun.of(
                "--dir", dir.toString(), "--url", "jdbc:postgresql://127.0.0.1:1/shop?user=app&password=s3cret");
        assertEquals(Failure.USAGE, run.exitCode(), run::toString);
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains("127.0.0.1:1"), run.err());
        assertFalse((run.out() + run.err()).contains("s3cret"), run::toString);
    }

    @Test
    void aBrokerThatIsNotThereIsOneLineWithoutThePassword() {
        QuickstartRun run =
                QuickstartRun.of("--dir", dir.toString(), "--broker", "rabbitmq=amqp://app:s3cret@127.0.0.1:1/shop");
        assertEquals(Failure.USAGE, run.exitCode(), run::toString);
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains("rabbitmq at amqp://127.0.0.1:1/shop"), run.err());
        assertFalse((run.out() + run.err()).contains("s3cret"), run::toString);
    }

    @Test
    void anAddressThatIsNoneIsOneLineWithoutAnyPartOfThePassword() {
        QuickstartRun run =
                QuickstartRun.of("--dir", dir.toString(), "--broker", "rabbitmq=amqp://app:o3ne@t^wo@127.0.0.1:1/shop");
        assertEquals(Failure.USAGE, run.exitCode(), run::toString);
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains("rabbitmq at amqp://127.0.0.1:1/shop"), run.err());
        assertFalse((run.out() + run.err()).contains("t^wo"), run::toString);
    }

    private static void refuses(String message, String... args) {
        QuickstartRun run = QuickstartRun.of(args);
        assertEquals(message, run.err().strip());
        assertEquals(Failure.USAGE, run.exitCode());
    }

    /** Whoever kills the example must not find its relay still running. */
    @Test
    void aKilledExampleLeavesNoRelayBehind() throws Exception {
        Process example = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Quickstart.class.getName(),
                        "--dir",
                        dir.toString())
                .redirectErrorStream(true)
                .start();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(example.getInputStream(), StandardCharsets.UTF_8))) {
            String line;
            do {
                line = Objects.requireNonNull(out.readLine(), "the example ended before it started its relay");
            } while (!line.contains("relay started again"));
            List<ProcessHandle> relays = example.descendants().toList();
            assertFalse(relays.isEmpty());
            example.destroyForcibly();
            for (ProcessHandle relay : relays) {
                CompletableFuture<ProcessHandle> end = relay.onExit();
                end.get(180, TimeUnit.SECONDS);
            }
        } finally {
            example.destroyForcibly();
        }
    }

    private Path orders(int authorised, int declined) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < authorised + declined; i++) {
            // Declined ones come first and among the others alike.
            boolean fails = i % 2 == 0 ? i / 2 < declined : i >= 2 * authorised;
            lines.add(OrderLine.EXAMPLE
                    .replace("SO-104233", "SO-" + i)
                    .replace("C-1042", "C-" + i % 3)
                    .replace("authorised", fails ? "declined" : "authorised"));
        }
        return Files.write(dir.resolve("mine.csv"), lines);
    }
}
