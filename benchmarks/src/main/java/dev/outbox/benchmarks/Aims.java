package dev.outbox.benchmarks;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Which ratios outbox is to reach, by the names of figures. */
final class Aims {
    private record Aim(double bound, boolean atLeast) {
        boolean isMet(double ratio) {
            return atLeast ? ratio >= bound : ratio <= bound;
        }

        String shown() {
            return (atLeast ? "≥ " : "≤ ")
                    + String.format(Locale.ROOT, "%.3g", bound).replaceAll("\\.?0+$", "");
        }
    }

    private static final Map<String, Aim> AIMS = new LinkedHashMap<>();

    static {
        Map<String, Double> drain =
                Map.of("postgres", 0.85, "mysql", 0.8, "mariadb", 0.8, "h2", 0.8, "redis", 0.8, "mongo", 0.7);
        drain.forEach((backend, least) -> {
            atLeast(backend + ".drain.limit100", least);
            atLeast(backend + ".drain.limit1000", least);
        });
        for (String backend : List.of("postgres", "redis", "mongo")) {
            atLeast(backend + ".persist.tx10", 0.9);
            atLeast(backend + ".drain.backlog.500000", 0.9);
            atLeast(backend + ".drain.backlog.1000000", 0.9);
        }
        atLeast("postgres.drain.snapshot.500000", 0.8);
        for (String backend : List.of("postgres", "h2")) {
            atLeast(backend + ".metrics.drain", 0.95);
            atLeast(backend + ".metrics.persist", 0.95);
        }
        for (String peer : List.of("gruelbox", "namastack")) {
            atLeast("postgres.peers." + peer + ".drain", 20);
            atLeast("postgres.peers." + peer + ".persist.tx1", 1);
            atLeast("postgres.peers." + peer + ".persist.tx10.together", 1);
        }
        for (int perSecond : new int[] {100, 1000, 5000}) {
            atMost("postgres.latency.in-process." + perSecond + ".p50", 3);
            atMost("postgres.latency.in-process." + perSecond + ".p99", 10);
        }
        for (String broker : List.of("kafka", "rabbitmq", "nats")) {
            atLeast("postgres." + broker + ".relay", 0.8);
        }
        atLeast("postgres.publisher.sync1ms.partitions16", 12);
        atMost("redis.stored", 1.3);
    }

    private Aims() {}

    private static void atLeast(String figure, double bound) {
        AIMS.put(figure, new Aim(bound, true));
    }

    private static void atMost(String figure, double bound) {
        AIMS.put(figure, new Aim(bound, false));
    }

    /** What the ratio of a figure is to be, and whether it is; empty if nothing is aimed at. */
    static String shown(Figure figure) {
        Aim aim = AIMS.get(figure.name());
        return aim == null ? "" : aim.shown() + (aim.isMet(figure.ratio()) ? "" : " **missed**");
    }

    /** A line for every aim of the figures, those that are missed marked. */
    static List<String> lines(List<Figure> figures) {
        return figures.stream()
                .filter(figure -> AIMS.containsKey(figure.name()))
                .map(figure -> "aim " + figure.name() + " ratio=" + String.format(Locale.ROOT, "%.2f", figure.ratio())
                        + " " + shown(figure).replace("**", ""))
                .toList();
    }
}
