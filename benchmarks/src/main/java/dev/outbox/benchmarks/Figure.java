package dev.outbox.benchmarks;

import java.util.List;
import java.util.Locale;

/**
 * A measurement: messages per second, and what that is to something else, with the least and the most of all rounds.
 *
 * @param rates messages per second of each round
 * @param ratios to what it is compared with, of each round
 * @param versus what it is compared with
 */
record Figure(String name, List<Double> rates, List<Double> ratios, String versus) {
    private static double at(List<Double> values, double share) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get((int) Math.round(share * (sorted.size() - 1)));
    }

    private static String format(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    /** As {@code name=value ratio=value vs=what}, and the spread. */
    String line() {
        return name + "=" + format("%.0f", at(rates, 0.5)) + "/s ratio=" + format("%.2f", at(ratios, 0.5)) + " vs="
                + versus + " spread=" + format("%.2f", at(ratios, 0)) + ".." + format("%.2f", at(ratios, 1))
                + " rounds="
                + ratios.size();
    }

    String json() {
        return "{\"name\": \"" + name + "\", \"perSecond\": " + format("%.1f", at(rates, 0.5)) + ", \"ratio\": "
                + format("%.4f", at(ratios, 0.5)) + ", \"least\": " + format("%.4f", at(ratios, 0)) + ", \"most\": "
                + format("%.4f", at(ratios, 1)) + ", \"rounds\": " + ratios.size() + ", \"vs\": \"" + versus + "\"}";
    }
}
