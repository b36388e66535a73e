package dev.outbox.benchmarks;

import java.util.List;
import java.util.Locale;

/**
 * A measurement, and what that is to something else, with the least and the most of all rounds.
 *
 * @param unit of the values, as in {@code /s}
 * @param values of each round
 * @param ratios to what it is compared with, of each round
 * @param versus what it is compared with
 */
record Figure(String name, String unit, List<Double> values, List<Double> ratios, String versus) {
    /** The value of a share of the rounds: 0 for the least, 0.5 for the median, 1 for the most. */
    static double at(List<Double> values, double share) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get((int) Math.round(share * (sorted.size() - 1)));
    }

    double value() {
        return at(values, 0.5);
    }

    double ratio() {
        return at(ratios, 0.5);
    }

    /** As {@code name=value ratio=value vs=what}, and the spread. */
    String line() {
        return String.format(
                Locale.ROOT,
                "%s=%s%s ratio=%.2f vs=%s spread=%.2f..%.2f rounds=%d",
                name,
                value() < 100 ? String.format(Locale.ROOT, "%.2f", value()) : Math.round(value()),
                unit,
                ratio(),
                versus,
                at(ratios, 0),
                at(ratios, 1),
                ratios.size());
    }

    String json() {
        return String.format(
                Locale.ROOT,
                "{\"name\": \"%s\", \"value\": %.3f, \"unit\": \"%s\", \"ratio\": %.4f, \"vs\": \"%s\","
                        + " \"least\": %.4f, \"most\": %.4f, \"rounds\": %d}",
                name,
                value(),
                unit,
                ratio(),
                versus,
                at(ratios, 0),
                at(ratios, 1),
                ratios.size());
    }
}
