package dev.outbox.benchmarks;

import dev.outbox.servers.MariaDbServer;
import dev.outbox.servers.MongoServer;
import dev.outbox.servers.MySqlServer;
import dev.outbox.servers.PostgresServer;
import dev.outbox.servers.RedisServer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** One run of the command: how long to measure, on what, and what was found. */
final class Run {
    /** The same server twice: an outbox for each of two sides. */
    record Pair(Backend ours, Backend theirs) {}

    private static final Map<String, Callable<Backend>> BACKENDS = new LinkedHashMap<>();

    static {
        BACKENDS.put(
                "postgres", () -> new Sql("postgres", PostgresServer.shared().newDatabase(), true));
        BACKENDS.put("mysql", () -> new Sql("mysql", MySqlServer.shared().newDatabase(), false));
        BACKENDS.put("mariadb", () -> new Sql("mariadb", MariaDbServer.shared().newDatabase(), false));
        BACKENDS.put(
                "h2",
                () -> new Sql(
                        "h2",
                        "jdbc:h2:file:" + Files.createTempDirectory("outbox-benchmarks") + "/outbox;DB_CLOSE_DELAY=-1",
                        true));
        BACKENDS.put("redis", () -> new Redis(RedisServer.shared().url()));
        BACKENDS.put("mongo", () -> new Mongo(MongoServer.shared().newDatabase()));
    }

    private final long start = System.nanoTime();
    private final String load = Setting.loadOfTheLastMinute();
    private final boolean atLength;
    private final List<String> chosen;
    private final Map<String, Pair> opened = new LinkedHashMap<>();
    private final Map<String, String> versions = new LinkedHashMap<>();
    private final List<Figure> figures = new ArrayList<>();

    /** @param chosen names of backends; all if there is none */
    Run(boolean atLength, List<String> chosen) {
        this.atLength = atLength;
        this.chosen = chosen.isEmpty() ? List.copyOf(BACKENDS.keySet()) : chosen;
    }

    static List<String> backendNames() {
        return List.copyOf(BACKENDS.keySet());
    }

    boolean atLength() {
        return atLength;
    }

    /** For what there is an aim for. */
    Contest.Pace pace() {
        return atLength ? new Contest.Pace(11, 2, 40) : new Contest.Pace(5, 0.25, 2);
    }

    /** For everything else. */
    Contest.Pace brief() {
        return atLength ? pace() : new Contest.Pace(5, 0.2, 5);
    }

    /** Those of the backends named here that are chosen. */
    List<String> of(String... names) {
        return List.of(names).stream().filter(chosen::contains).toList();
    }

    /** All that are chosen. */
    List<String> backends() {
        return chosen;
    }

    /** Two outboxes that are kept for all parts. */
    Pair open(String backend) throws Exception {
        Pair pair = opened.get(backend);
        if (pair == null) {
            pair = new Pair(openOne(backend), openOne(backend));
            warmUp(pair);
            opened.put(backend, pair);
            versions.put(backend, pair.ours().version());
        }
        return pair;
    }

    /** Until the code of both sides is compiled: what comes first would be slower than what comes later. */
    private static void warmUp(Pair pair) throws Exception {
        Contest.of(
                "warm-up",
                "nothing",
                new Contest.Pace(1, 1, 10),
                new Drain(Backlog.of(pair.ours()), 100),
                Drain.byHand(Backlog.of(pair.theirs()), 100));
    }

    /** An outbox for one part alone, which closes it. */
    Backend openOne(String backend) throws Exception {
        Callable<Backend> one = BACKENDS.get(backend);
        if (one == null) {
            throw new IllegalArgumentException(backend);
        }
        return one.call();
    }

    /** What another server than a backend says it is. */
    void noteServer(String name, String version) {
        versions.put(name, version);
    }

    void note(Figure figure) {
        figures.add(figure);
        System.out.println(figure.line());
    }

    /** Up to now. */
    Results results() {
        return new Results(Setting.now(versions, atLength, (System.nanoTime() - start) / 1_000_000_000, load), figures);
    }

    void close() throws Exception {
        for (Pair pair : opened.values()) {
            pair.ours().close();
            pair.theirs().close();
        }
    }
}
