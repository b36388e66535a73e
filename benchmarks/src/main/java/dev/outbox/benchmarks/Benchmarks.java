package dev.outbox.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The command: measures what is named, or everything, prints a line for each figure and writes all of them as JSON. */
final class Benchmarks {
    private static final Map<String, Part> PARTS = new LinkedHashMap<>();

    /** These run only when they are named, because they want servers that nothing else wants. */
    private static final Set<String> BY_NAME = Set.of("shards");

    static {
        PARTS.put("drain", AgainstByHand::drain);
        PARTS.put("persist", AgainstByHand::persist);
        PARTS.put("stored", AgainstByHand::stored);
        PARTS.put("peers", AgainstPeers::measure);
        PARTS.put("workers", Spread::workers);
        PARTS.put("codec", Spread::codec);
        PARTS.put("publisher", Spread::publisher);
        PARTS.put("brokers", ToBrokers::measure);
        PARTS.put("metrics", WithMetrics::measure);
        PARTS.put("latency", Latency::measure);
        PARTS.put("idle", Idle::measure);
        PARTS.put("backlog", Growth::backlog);
        PARTS.put("snapshot", Growth::snapshot);
        PARTS.put("partitions", Growth::partitions);
        PARTS.put("topics", Growth::topics);
        PARTS.put("payload", Growth::payload);
        PARTS.put("relays", Processes::relays);
        PARTS.put("heap", Processes::heap);
        PARTS.put("shards", Shards::measure);
    }

    private Benchmarks() {}

    public static void main(String[] arguments) throws Exception {
        List<String> words = new ArrayList<>(List.of(arguments));
        Path json = path(words, "--json");
        Path docs = path(words, "--docs");
        Path earlier = path(words, "--from");
        boolean atLength = words.remove("--long");
        List<String> backends =
                words.stream().filter(Run.backendNames()::contains).toList();
        List<String> parts = words.stream().filter(PARTS::containsKey).toList();
        if (backends.size() + parts.size() < words.size()) {
            System.err.println("Expected any of --long, --json FILE, --docs DIRECTORY, --from FILE, "
                    + String.join(", ", Run.backendNames()) + ", " + String.join(", ", PARTS.keySet()) + "; got "
                    + String.join(" ", words));
            System.exit(2);
        }
        boolean complete = true;
        Results results;
        if (earlier != null) {
            results = Results.read(earlier);
        } else {
            Run run = new Run(atLength, backends);
            for (Map.Entry<String, Part> part : PARTS.entrySet()) {
                String name = part.getKey();
                if (parts.isEmpty() ? !BY_NAME.contains(name) : parts.contains(name)) {
                    complete &= measure(run, name, part.getValue());
                    if (json != null) { // what is found is kept, whatever happens later
                        run.results().write(json);
                    }
                }
            }
            results = run.results();
            run.close();
        }
        Aims.lines(results.figures()).forEach(System.out::println);
        if (json != null) {
            results.write(json);
        }
        if (docs != null) {
            document(results, docs, parts.isEmpty() && backends.isEmpty());
        }
        System.exit(complete ? 0 : 1); // servers have threads of their own
    }

    /** A part that fails costs its figures, and not those of the others. */
    @SuppressWarnings("CatchAndPrintStackTrace") // the command has no other log
    private static boolean measure(Run run, String name, Part part) {
        long start = System.nanoTime();
        try {
            part.measure(run);
            return true;
        } catch (Exception e) {
            e.printStackTrace();
            return false;
        } finally {
            System.err.println("[benchmarks] " + name + ": " + (System.nanoTime() - start) / 1_000_000_000 + " s");
        }
    }

    private static void document(Results results, Path docs, boolean everything) throws IOException {
        Path page = docs.resolve("PERFORMANCE.md");
        if (everything) {
            new Plots(results).write(docs.resolve("performance"));
            Files.writeString(page, Document.of(results, Files.exists(page) ? Files.readString(page) : ""));
        } else {
            Files.writeString(page, Document.update(Files.readString(page), results));
        }
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
