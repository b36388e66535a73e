package dev.outbox.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The command: measures what is named, or everything, prints a line for each figure and writes all of them as JSON. */
final class Benchmarks {
    private static final Map<String, Part> PARTS = new LinkedHashMap<>();

    static {
        PARTS.put("drain", AgainstByHand::drain);
        PARTS.put("persist", AgainstByHand::persist);
        PARTS.put("stored", AgainstByHand::stored);
        PARTS.put("peers", AgainstPeers::measure);
        PARTS.put("workers", Spread::workers);
        PARTS.put("codec", Spread::codec);
        PARTS.put("publisher", Spread::publisher);
        PARTS.put("latency", Latency::measure);
        PARTS.put("idle", Idle::measure);
        PARTS.put("backlog", Growth::backlog);
        PARTS.put("snapshot", Growth::snapshot);
        PARTS.put("partitions", Growth::partitions);
        PARTS.put("topics", Growth::topics);
        PARTS.put("payload", Growth::payload);
        PARTS.put("relays", Processes::relays);
        PARTS.put("heap", Processes::heap);
    }

    private Benchmarks() {}

    public static void main(String[] arguments) throws Exception {
        List<String> words = new ArrayList<>(List.of(arguments));
        Path json = path(words, "--json");
        boolean atLength = words.remove("--long");
        List<String> backends =
                words.stream().filter(Run.backendNames()::contains).toList();
        List<String> parts = words.stream().filter(PARTS::containsKey).toList();
        if (backends.size() + parts.size() < words.size()) {
            System.err.println("Expected any of --long, " + String.join(", ", Run.backendNames()) + ", "
                    + String.join(", ", PARTS.keySet()) + "; got " + String.join(" ", words));
            System.exit(2);
        }
        Run run = new Run(atLength, backends);
        for (Map.Entry<String, Part> part : PARTS.entrySet()) {
            if (parts.isEmpty() || parts.contains(part.getKey())) {
                long start = System.nanoTime();
                part.getValue().measure(run);
                System.err.printf(
                        "[benchmarks] %s took %d s%n", part.getKey(), (System.nanoTime() - start) / 1_000_000_000);
            }
        }
        run.close();
        if (json != null) {
            Files.createDirectories(json.toAbsolutePath().getParent());
            Files.writeString(
                    json, run.figures().stream().map(Figure::json).collect(Collectors.joining(",\n", "[\n", "\n]\n")));
        }
        System.exit(0); // servers have threads of their own
    }

    private static @Nullable Path path(List<String> words, String option) {
        int at = words.indexOf(option);
        if (at < 0 || at + 1 == words.size()) {
            return null;
        }
        words.remove(at);
        return Path.of(words.remove(at));
    }
}
