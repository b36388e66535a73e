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
                Backend backend = start.call();
                for (String what : measured.isEmpty() ? MEASUREMENTS : measured) {
                    benchmarks.measure(backend, what);
                }
                backend.close();
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

    private void measure(Backend backend, String what) throws Exception {
        switch (what) {
            case "drain" -> {
                drain(backend, 10, 10_000 * times);
                drain(backend, 100, 50_000 * times);
                drain(backend, 1000, 100_000 * times);
            }
            case "persist" -> {
                persist(backend, 2_000 * times, 1);
                persist(backend, 1_000 * times, 10);
            }
            case "partitions" ->
                growth(
                        backend,
                        "partitions256",
                        "partitions1",
                        drainOf(backend, 256, 50_000),
                        drainOf(backend, 1, 50_000));
            case "backlog" ->
                growth(backend, "backlog1M", "backlog10k", drainOf(backend, 1, 1_000_000), drainOf(backend, 1, 10_000));
            case "snapshot" -> snapshot(backend, 50_000);
            case "dead" -> snapshot(backend, 500_000);
            default -> throw new IllegalArgumentException(what);
        }
    }

    private void drain(Backend backend, int limit, int messages) throws Exception {
        Drain drain = new Drain(backend, limit, 1, messages, messages);
        note(Contest.of(backend.name() + ".drain.limit" + limit, "bare-loop", rounds, drain.relay(), drain.byHand()));
    }

    private void persist(Backend backend, int transactions, int messages) throws Exception {
        Persist persist = new Persist(backend, transactions, messages);
        note(Contest.of(
                backend.name() + ".persist.tx" + messages, "bare-insert", rounds, persist.library(), persist.byHand()));
    }

    private static Drain drainOf(Backend backend, int partitions, int filled) {
        return new Drain(backend, 100, partitions, filled, Math.min(filled, 50_000));
    }

    private void growth(Backend backend, String name, String versus, Drain large, Drain small) throws Exception {
        note(Contest.of(backend.name() + ".drain." + name, versus, rounds, large.relay(), small.relay()));
    }

    /** Under a snapshot that was held while so many were settled, against none. */
    private void snapshot(Backend backend, int dead) throws Exception {
        int drained = 20_000;
        Drain drain = new Drain(backend, 100, 1, dead + drained, drained);
        Drain before = new Drain(backend, 1000, 1, dead + drained, dead);
        note(Contest.of(
                backend.name() + ".drain.snapshot" + dead / 1000 + "k",
                "no-snapshot",
                rounds,
                new Contest.Side() {
                    private @Nullable Store store;
                    private @Nullable AutoCloseable snapshot;

                    @Override
                    public void prepare() throws Exception {
                        backend.fill(drain.filled(), 1);
                        snapshot = backend.holdSnapshot();
                        store = backend.open();
                        before.drain(store);
                    }

                    @Override
                    public int run() {
                        return drain.drain(store);
                    }

                    @Override
                    public void tidy() throws Exception {
                        if (store != null && snapshot != null) {
                            store.close();
                            snapshot.close();
                        }
                    }
                },
                new Drain(backend, 100, 1, drained, drained).relay()));
    }

    private void note(Figure figure) {
        figures.add(figure);
        System.out.println(figure.line());
    }
}
