package dev.outbox.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

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

    /** What it is compared with has reached, as far as that has the same unit. */
    double theirs() {
        return at(
                IntStream.range(0, values.size())
                        .mapToObj(i -> values.get(i) / ratios.get(i))
                        .toList(),
                0.5);
    }

    /** As in 12.5ms, 35.2k/s. */
    String shown() {
        return Plot.number(value()) + unit;
    }

    /** For others to read; {@link #values} and {@link #ratios} are what the rest is computed from. */
    Map<String, Object> asMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("name", name);
        map.put("value", value());
        map.put("unit", unit);
        map.put("ratio", ratio());
        map.put("vs", versus);
        map.put("least", at(ratios, 0));
        map.put("most", at(ratios, 1));
        map.put("values", values);
        map.put("ratios", ratios);
        return map;
    }

    static Figure of(JsonNode map) {
        return new Figure(
                map.get("name").asText(),
                map.get("unit").asText(),
                numbers(map.get("values")),
                numbers(map.get("ratios")),
                map.get("vs").asText());
    }

    private static List<Double> numbers(JsonNode array) {
        List<Double> numbers = new ArrayList<>();
        array.forEach(number -> numbers.add(number.asDouble()));
        return numbers;
    }
}
