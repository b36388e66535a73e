package dev.outbox.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One run of the example, with what it printed. */
record QuickstartRun(int exitCode, String out, String err) {
    private static final Pattern VERDICT = Pattern.compile("orders=\\d+ committed=\\d+ rolled_back=\\d+ published=\\d+"
            + " duplicated=\\d+ lost=\\d+ phantom=\\d+ out_of_order=\\d+");
    private static final Pattern KILL = Pattern.compile("relay killed +after (\\d+) deliveries, exit code (\\d+)");
    private static final Pattern FIGURE = Pattern.compile("([a-z_]+)=(\\d+)");

    /** What SIGKILL leaves behind. */
    private static final int KILLED = 128 + 9;

    static QuickstartRun of(String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exitCode = Quickstart.run(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                args);
        return new QuickstartRun(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** Checks that all went well, and the figures against what somebody else counted in the file. */
    void assertGood(int committed, int rolledBack) {
        assertEquals(0, exitCode, this::toString);
        assertEquals("", err);
        Map<String, Integer> figures = figures();
        int duplicated = figures.getOrDefault("duplicated", -1);
        assertTrue(duplicated >= 0, out);
        assertEquals(
                Map.of(
                        "orders",
                        committed + rolledBack,
                        "committed",
                        committed,
                        "rolled_back",
                        rolledBack,
                        "published",
                        committed,
                        "duplicated",
                        duplicated,
                        "lost",
                        0,
                        "phantom",
                        0,
                        "out_of_order",
                        0),
                figures);
    }

    /** Checks that the relay was killed when it had published some messages and not all of them. */
    void assertKilledInTheMiddle(int committed) {
        Matcher kill = KILL.matcher(out);
        assertTrue(kill.find(), out);
        int deliveries = Integer.parseInt(kill.group(1));
        assertTrue(deliveries > 0 && deliveries < committed, out);
        assertEquals(KILLED, Integer.parseInt(kill.group(2)), out);
    }

    private Map<String, Integer> figures() {
        List<String> lines = out.lines().toList();
        String last = lines.get(lines.size() - 1);
        assertTrue(VERDICT.matcher(last).matches(), last);
        Map<String, Integer> figures = new HashMap<>();
        for (Matcher figure = FIGURE.matcher(last); figure.find(); ) {
            figures.put(figure.group(1), Integer.valueOf(figure.group(2)));
        }
        return figures;
    }
}
