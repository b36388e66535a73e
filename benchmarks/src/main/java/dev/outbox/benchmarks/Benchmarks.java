package dev.outbox.benchmarks;

import dev.outbox.Store;
import dev.outbox.servers.MariaDbServer;
import dev.outbox.servers.MySqlServer;
import dev.outbox.servers.PostgresServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The command: measures what is named, or everything, prints a line for each figure and writes all of them as JSON. */
final class Benchmarks {
    private static final List<String> MEASUREMENTS =
            List.of("drain", "persist", "partitions", "backlog", "snapshot", "dead");

    private final int rounds;

    /** How much longer than a quick run. */
    private final int times;

    private final List<Figure> figures = new ArrayList<>();

    private Benchmarks(int rounds, int times) {
        this.rounds = rounds;
        this.times = times;
    }

    private static Map<String, Callable<Backend>> backends() {
        Map<String, Callable<Backend>> backends = new LinkedHashMap<>();
        backends.put(
                "postgres", () -> new Sql("postgres", PostgresServer.shared().newDatabase(), true));
        backends.put("mysql", () -> new Sql("mysql", MySqlServer.shared().newDatabase(), false));
        backends.put("mariadb", () -> new Sql("mariadb", MariaDbServer.shared().newDatabase(), false));
        backends.put(
                "h2",
                () -> new Sql(
                        "h2",
                        "jdbc:h2:file:" + Files.createTempDirectory("outbox-benchmarks") + "/outbox;DB_CLOSE_DELAY=-1",
                        true));
        return backends;
    }

    public static void main(String[] arguments) throws Exception {
        List<String> words = new ArrayList<>(List.of(arguments));
        Path json = path(words);
        boolean atLength = words.remove("--long");
        Map<String, Callable<Backend>> all = backends();
        List<String> named = words.stream().filter(all::containsKey).toList();
        List<String> measured = words.stream().filter(MEASUREMENTS::contains).toList();
        if (named.size() + measured.size() < words.size()) {
            System.err.println("Expected any of --long, " + String.join(", ", all.keySet()) + ", "
                    + String.join(", ", MEASUREMENTS) + "; got " + String.join(" ", words));
            System.exit(2);
        }
        Benchmarks benchmarks = new Benchmarks(atLength ? 11 : 5, atLength ? 5 : 1);
        for (String name : named.isEmpty() ? all.keySet() : named) {
            Callable<Backend> start = all.get(name);
            if (start != null) {
                Backend ours = start.call();
                Backend theirs = start.call();
                for (String what : measured.isEmpty() ? MEASUREMENTS : measured) {
                    benchmarks.measure(ours, theirs, what);
                }
                ours.close();
                theirs.close();
            }
        }
        if (json != null) {
            Files.createDirectories(json.toAbsolutePath().getParent());
            Files.writeString(
                    json,
                    benchmarks.figures.stream().map(Figure::json).collect(Collectors.joining(",\n", "[\n", "\n]\n")));
        }
        System.exit(0); // servers have threads of their own
    }

    private static @Nullable Path path(List<String> words) {
        int option = words.indexOf("--json");
        if (option < 0 || option + 1 == words.size()) {
            return null;
        }
        words.remove(option);
        return Path.of(words.remove(option));
    }

    private void measure(Backend ours, Backend theirs, String what) throws Exception {
        switch (what) {
            case "drain" -> {
                drain(ours, theirs, 10, 10_000 * times);
                drain(ours, theirs, 100, 40_000 * times);
                drain(ours, theirs, 1000, 100_000 * times);
            }
            case "persist" -> {
                persist(ours, theirs, 2_000 * times, 1);
                persist(ours, theirs, 500 * times, 10);
            }
            case "partitions" -> growth("partitions256", drainOf(ours, 256, 40_000), drainOf(theirs, 1, 40_000));
            case "backlog" -> growth("backlog1M", drainOf(ours, 1, 1_000_000), drainOf(theirs, 1, 10_000));
            case "snapshot" -> snapshot(ours, theirs, 50_000);
            case "dead" -> snapshot(ours, theirs, 500_000);
            default -> throw new IllegalArgumentException(what);
        }
    }

    private void drain(Backend ours, Backend theirs, int limit, int messages) throws Exception {
        note(Contest.of(
                ours.name() + ".drain.limit" + limit,
                "bare-loop",
                rounds,
                new Drain(ours, limit, 1, messages, messages).relay(),
                new Drain(theirs, limit, 1, messages, messages).byHand()));
    }

    private void persist(Backend ours, Backend theirs, int transactions, int messages) throws Exception {
        note(Contest.of(
                ours.name() + ".persist.tx" + messages,
                "bare-insert",
                rounds,
                new Persist(ours, transactions, messages).library(),
                new Persist(theirs, transactions, messages).byHand()));
    }

    private static Drain drainOf(Backend backend, int partitions, int filled) {
        return new Drain(backend, 100, partitions, filled, Math.min(filled, 40_000));
    }

    private void growth(String name, Drain large, Drain small) throws Exception {
        note(Contest.of(
                large.backend().name() + ".drain." + name,
                small.filled() + "-messages-in-1-partition",
                rounds,
                large.relay(),
                small.relay()));
    }

    /** Under a snapshot that was held while so many were settled, against none. */
    private void snapshot(Backend ours, Backend theirs, int dead) throws Exception {
        int drained = 20_000;
        Drain drain = new Drain(ours, 100, 1, dead + drained, drained);
        Drain before = new Drain(ours, 1000, 1, dead + drained, dead);
        Contest.Side side = new Contest.Side() {
            private @Nullable Store store;
            private @Nullable AutoCloseable snapshot;

            @Override
            public void prepare() throws Exception {
                ours.fill(drain.filled(), 1);
                snapshot = ours.holdSnapshot();
                store = ours.open();
                before.drain(store, dead);
            }

            @Override
            public int run(int parts) {
                return drain.drain(store, drained / parts);
            }

            @Override
            public void tidy() throws Exception {
                if (store != null && snapshot != null) {
                    store.close();
                    snapshot.close();
                }
            }
        };
        note(Contest.of(
                ours.name() + ".drain.snapshot" + dead / 1000 + "k",
                "no-snapshot",
                rounds,
                side,
                new Drain(theirs, 100, 1, drained, drained).relay()));
    }

    private void note(Figure figure) {
        figures.add(figure);
        System.out.println(figure.line());
    }
}
