package dev.outbox.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;

/** A drawing of a few series over a few categories, as SVG that is readable on light and on dark screens. */
final class Plot {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 440;
    private static final int LEFT = 78;
    private static final int RIGHT = 24;
    private static final int TOP = 104;
    private static final int BOTTOM = 56;

    private static final String STYLE = """
            <style>
            text { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #3d444d }
            .page { fill: #ffffff } .title { font-size: 17px; font-weight: 600; fill: #1f2328 } .axis { font-size: 12px }
            .grid { stroke: #d8dee4 } .one { stroke: #8c959f; stroke-width: 1.5 }
            .line { fill: none; stroke-width: 2.5; stroke-linejoin: round } .dashed { stroke-dasharray: 6 5 }
            .c0 { stroke: #0969da; fill: #0969da } .c1 { stroke: #bc4c00; fill: #bc4c00 } .c2 { stroke: #1a7f37; fill: #1a7f37 }
            .c3 { stroke: #8250df; fill: #8250df } .c4 { stroke: #9a6700; fill: #9a6700 } .c5 { stroke: #bf3989; fill: #bf3989 }
            @media (prefers-color-scheme: dark) {
            text { fill: #9da7b3 } .page { fill: #0d1117 } .title { fill: #e6edf3 }
            .grid { stroke: #2a313a } .one { stroke: #656d76 }
            .c0 { stroke: #4493f8; fill: #4493f8 } .c1 { stroke: #f0883e; fill: #f0883e } .c2 { stroke: #3fb950; fill: #3fb950 }
            .c3 { stroke: #ab7df8; fill: #ab7df8 } .c4 { stroke: #d29922; fill: #d29922 } .c5 { stroke: #db61a2; fill: #db61a2 }
            }
            .line { fill: none }
            </style>
            """;

    /** How a series is drawn. */
    enum Look {
        LINE,
        DASHED,
        DOTS,
        /** Each category has several values of the series, joined upright. */
        RANGE
    }

    private record Series(String label, Look look, List<List<Double>> values) {}

    private final String title;
    private final String subtitle;
    private final List<String> categories;
    private final List<Series> series = new ArrayList<>();
    private final StringBuilder svg = new StringBuilder();
    private DoubleFunction<String> unit = value -> number(value);
    private String below = "";
    private boolean logarithmic;
    private double most = Double.NaN;

    Plot(String title, String subtitle, List<String> categories) {
        this.title = title;
        this.subtitle = subtitle;
        this.categories = categories;
    }

    /** What stands under the categories. */
    Plot below(String text) {
        below = text;
        return this;
    }

    Plot unit(DoubleFunction<String> format) {
        unit = format;
        return this;
    }

    Plot logarithmic() {
        logarithmic = true;
        return this;
    }

    /** One value for each category; NaN where there is none. */
    Plot add(String label, Look look, List<Double> values) {
        return addRanges(label, look, values.stream().map(List::of).toList());
    }

    Plot addRanges(String label, Look look, List<List<Double>> values) {
        series.add(new Series(label, look, values));
        return this;
    }

    /** As in 1200, 35k, 1.5M. */
    static String number(double value) {
        double absolute = Math.abs(value);
        if (absolute >= 1e6) {
            return trimmed(value / 1e6) + "M";
        }
        return absolute >= 1e3 ? trimmed(value / 1e3) + "k" : trimmed(value);
    }

    private static String trimmed(double value) {
        return String.format(Locale.ROOT, Math.abs(value) >= 100 ? "%.0f" : "%.2f", value)
                .replaceAll("(\\.\\d*?)0+$", "$1")
                .replaceAll("\\.$", "");
    }

    String svg() {
        List<Double> all = series.stream()
                .flatMap(each -> each.values().stream())
                .flatMap(List::stream)
                .filter(value -> !value.isNaN())
                .toList();
        most = all.isEmpty() ? 1 : Collections.max(all);
        double least = all.isEmpty() ? 1 : Collections.min(all);
        svg.append(format(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\""
                        + " aria-label=\"%s\">%n",
                WIDTH, HEIGHT, WIDTH, escaped(title)));
        svg.append(STYLE);
        svg.append(format("<rect class=\"page\" width=\"%d\" height=\"%d\" rx=\"8\"/>%n", WIDTH, HEIGHT));
        text(24, 32, "title", "start", title);
        text(24, 53, "axis", "start", subtitle);
        legend();
        double floor = logarithmic ? Math.pow(10, Math.floor(Math.log10(least))) : 0;
        double ceiling = logarithmic ? Math.pow(10, Math.ceil(Math.log10(most))) : niceCeiling();
        for (double tick : ticks(floor, ceiling)) {
            double y = y(tick, floor, ceiling);
            String look = !logarithmic && tick == 1 ? "one" : "grid";
            svg.append(format(
                    "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>%n",
                    look, LEFT, WIDTH - RIGHT, y, y));
            text(LEFT - 10, y + 4, "axis", "end", unit.apply(tick));
        }
        for (int i = 0; i < categories.size(); i++) {
            text(x(i), HEIGHT - BOTTOM + 22, "axis", "middle", categories.get(i));
        }
        text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 12, "axis", "middle", below);
        for (int i = 0; i < series.size(); i++) {
            draw(series.get(i), i, floor, ceiling);
        }
        return svg.append("</svg>\n").toString();
    }

    private double niceCeiling() {
        double step = Math.pow(10, Math.floor(Math.log10(most)));
        for (double factor : new double[] {1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10}) {
            if (step * factor >= most * 1.02) {
                return step * factor;
            }
        }
        return most;
    }

    private List<Double> ticks(double floor, double ceiling) {
        List<Double> ticks = new ArrayList<>();
        if (logarithmic) {
            for (double tick = floor; tick <= ceiling * 1.001; tick *= 10) {
                ticks.add(tick);
            }
        } else {
            double raw = ceiling / 5;
            double size = Math.pow(10, Math.floor(Math.log10(raw)));
            double step = raw / size > 5 ? 10 * size : raw / size > 2 ? 5 * size : raw / size > 1 ? 2 * size : size;
            for (int i = 0; i * step <= ceiling * 1.001; i++) {
                ticks.add(i * step);
            }
        }
        return ticks;
    }

    private void legend() {
        double x = 24;
        double y = 78;
        for (int i = 0; i < series.size(); i++) {
            String label = series.get(i).label();
            double width = 34 + 7.2 * label.length();
            if (x + width > WIDTH - RIGHT) {
                x = 24;
                y += 18;
            }
            boolean isLine = series.get(i).look() == Look.LINE || series.get(i).look() == Look.DASHED;
            svg.append(
                    isLine
                            ? format(
                                    "<path class=\"line c%d%s\" d=\"M%.1f %.1fh18\"/>%n",
                                    i, series.get(i).look() == Look.DASHED ? " dashed" : "", x, y - 4)
                            : format("<circle class=\"c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/>%n", i, x + 9, y - 4));
            text(x + 25, y, "axis", "start", label);
            x += width;
        }
    }

    private double x(int category) {
        double width = (double) (WIDTH - LEFT - RIGHT) / categories.size();
        return LEFT + width * (category + 0.5);
    }

    private double y(double value, double floor, double ceiling) {
        double share = logarithmic
                ? (Math.log10(value) - Math.log10(floor)) / (Math.log10(ceiling) - Math.log10(floor))
                : (value - floor) / (ceiling - floor);
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
    }

    private void draw(Series each, int color, double floor, double ceiling) {
        StringBuilder path = new StringBuilder();
        StringBuilder marks = new StringBuilder();
        double aside =
                each.look() == Look.RANGE || each.look() == Look.DOTS ? 16 * (color - (series.size() - 1) / 2.0) : 0;
        for (int i = 0; i < each.values().size(); i++) {
            List<Double> values = each.values().get(i).stream()
                    .filter(value -> !value.isNaN())
                    .sorted()
                    .toList();
            for (int v = 0; v < values.size(); v++) {
                double x = x(i) + aside;
                double y = y(values.get(v), floor, ceiling);
                boolean joined = each.look() == Look.RANGE ? v > 0 : path.length() > 0;
                path.append(format("%s%.1f %.1f", joined ? "L" : "M", x, y));
                if (each.look() != Look.DASHED) {
                    double radius = each.look() == Look.RANGE ? 5.5 - v : 4.5;
                    marks.append(format(
                            "<circle class=\"c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>%s: %s</title></circle>%n",
                            color, x, y, radius, escaped(each.label()), escaped(unit.apply(values.get(v)))));
                }
            }
        }
        if (each.look() != Look.DOTS) {
            String dashed = each.look() == Look.DASHED ? " dashed" : "";
            svg.append(format("<path class=\"line c%d%s\" d=\"%s\"/>%n", color, dashed, path));
        }
        svg.append(marks);
    }

    private void text(double x, double y, String look, String anchor, String text) {
        svg.append(format(
                "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n",
                look, x, y, anchor, escaped(text)));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format.replace("%n", "\n"), values);
    }
}
