package dev.outbox.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The drawings of the documentation, each from the figures of one run. */
final class Plots {
    private static final List<String> BACKENDS = List.of("postgres", "mysql", "mariadb", "h2", "redis", "mongo");
    private static final Map<String, String> NAMES = Map.of(
            "postgres",
            "PostgreSQL",
            "mysql",
            "MySQL",
            "mariadb",
            "MariaDB",
            "h2",
            "H2",
            "redis",
            "Redis",
            "mongo",
            "MongoDB");
    private static final int[] LIMITS = {10, 100, 1000};

    private final Results results;

    Plots(Results results) {
        this.results = results;
    }

    static String shown(String backend) {
        return NAMES.getOrDefault(backend, backend);
    }

    void write(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("limit.svg"), limit().svg());
        Files.writeString(directory.resolve("backends.svg"), backends().svg());
        Files.writeString(directory.resolve("backlog.svg"), backlog().svg());
        Files.writeString(directory.resolve("snapshot.svg"), snapshot().svg());
        Files.writeString(directory.resolve("latency.svg"), latency().svg());
    }

    private Plot limit() {
        Plot plot = new Plot(
                        "Draining PostgreSQL, by limit",
                        "messages per second, one worker, messages of 250 bytes; the scale is logarithmic",
                        List.of("10", "100", "1000"))
                .below("limit: messages of a batch")
                .logarithmic();
        plot.add("outbox", Plot.Look.LINE, ofLimits(name -> results.value(name)));
        plot.add("by hand", Plot.Look.DASHED, ofLimits(name -> results.theirs(name)));
        for (Figure peer : results.matching("postgres\\.peers\\.[a-z]+\\.drain")) {
            double rate = peer.theirs();
            plot.add(peer.versus(), Plot.Look.DASHED, List.of(rate, rate, rate));
        }
        return plot;
    }

    private interface Lookup {
        double of(String name);
    }

    private List<Double> ofLimits(Lookup lookup) {
        return IntStream.of(LIMITS)
                .mapToObj(limit -> lookup.of("postgres.drain.limit" + limit))
                .toList();
    }

    private Plot backends() {
        Plot plot = new Plot(
                        "Draining, compared with a loop written by hand",
                        "1 is as fast as the loop over the bare driver in the same run",
                        BACKENDS.stream().map(Plots::shown).toList())
                .unit(Plots::times);
        for (int limit : LIMITS) {
            plot.add(
                    "limit " + limit,
                    Plot.Look.DOTS,
                    BACKENDS.stream()
                            .map(backend -> results.ratio(backend + ".drain.limit" + limit))
                            .toList());
        }
        return plot;
    }

    private static String times(double value) {
        return Plot.number(value) + "×";
    }

    private Plot backlog() {
        List<Integer> sizes = results.matching("[a-z0-9]+\\.drain\\.backlog\\.\\d+").stream()
                .map(figure -> Integer.parseInt(figure.name().replaceAll(".*\\.", "")))
                .distinct()
                .sorted()
                .toList();
        Plot plot = new Plot(
                        "Draining a large backlog",
                        "1 is as fast as with a backlog of 10,000 in the same run; limit 100",
                        Stream.concat(Stream.of(10_000), sizes.stream())
                                .map(count -> Plot.number(count))
                                .toList())
                .below("messages that wait")
                .unit(Plots::times);
        for (String backend : BACKENDS) {
            List<Double> ratios = new ArrayList<>(List.of(1.0));
            sizes.forEach(size -> ratios.add(results.ratio(backend + ".drain.backlog." + size)));
            addIfAny(plot, shown(backend), ratios);
        }
        return plot;
    }

    private Plot snapshot() {
        List<Integer> dead = results.matching("[a-z0-9]+\\.drain\\.snapshot\\.\\d+").stream()
                .map(figure -> Integer.parseInt(figure.name().replaceAll(".*\\.", "")))
                .distinct()
                .sorted()
                .toList();
        Plot plot = new Plot(
                        "Draining while another transaction stays open",
                        "1 is as fast as without it in the same run; what was settled cannot be cleaned up meanwhile",
                        Stream.concat(Stream.of(0), dead.stream())
                                .map(count -> Plot.number(count))
                                .toList())
                .below("messages settled since the transaction began")
                .unit(Plots::times);
        for (String backend : BACKENDS) {
            List<Double> ratios = new ArrayList<>(List.of(1.0));
            dead.forEach(count -> ratios.add(results.ratio(backend + ".drain.snapshot." + count)));
            addIfAny(plot, shown(backend), ratios);
        }
        return plot;
    }

    private static void addIfAny(Plot plot, String label, List<Double> ratios) {
        if (ratios.stream().skip(1).anyMatch(ratio -> !ratio.isNaN())) {
            plot.add(label, Plot.Look.LINE, ratios);
        }
    }

    private Plot latency() {
        int[] rates = {100, 1000, 5000};
        Plot plot = new Plot(
                        "From commit to publisher, PostgreSQL",
                        "p50, p95 and p99 in milliseconds from the call of commit; the scale is logarithmic",
                        IntStream.of(rates)
                                .mapToObj(rate -> Plot.number(rate) + "/s")
                                .toList())
                .below("messages written per second")
                .unit(value -> Plot.number(value) + " ms")
                .logarithmic();
        for (String way : List.of("in-process", "cross-process", "polling")) {
            plot.addRanges(
                    way.equals("polling") ? way : way + " wake-up",
                    Plot.Look.RANGE,
                    IntStream.of(rates)
                            .mapToObj(rate -> percentiles("postgres.latency." + way + "." + rate))
                            .toList());
        }
        List<Double> bare = IntStream.of(rates)
                .mapToObj(rate -> results.theirs("postgres.latency.in-process." + rate + ".p50"))
                .toList();
        return plot.add("commit and checkout by hand, idle", Plot.Look.DASHED, bare);
    }

    private List<Double> percentiles(String name) {
        return DoubleStream.of(50, 95, 99)
                .mapToObj(p -> results.value(name + ".p" + Math.round(p)))
                .toList();
    }
}
