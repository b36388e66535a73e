package dev.outbox.tck.internal.report;

import dev.outbox.tck.internal.spec.Level;
import dev.outbox.tck.internal.spec.RuleTest;
import dev.outbox.tck.internal.spec.SpecRule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What is asked of a run.
 *
 * @param level up to which tests are run
 * @param rules patterns of the ids of rules, with * for any text
 * @param report the folder for the report, or null for none
 * @param progress whether to print a line per test
 * @param drawn by lot
 */
public record Settings(
        Level level, List<String> rules, @Nullable Path report, boolean progress, Drawn drawn) {
    public static final String LEVEL = "outbox.tck.level";
    public static final String RULES = "outbox.tck.rules";
    public static final String SEED = "outbox.tck.seed";
    public static final String EXPLORE_MINUTES = "outbox.tck.explore.minutes";
    public static final String EXPLORE_STEPS = "outbox.tck.explore.steps";
    public static final String SWEEP = "outbox.tck.sweep";
    public static final String REPORT = "outbox.tck.report";
    public static final String PROGRESS = "outbox.tck.progress";

    /** Long enough for hundreds of sequences on a database, and no longer than other tests take. */
    private static final Duration EXPLORING = Duration.ofSeconds(15);

    private static final double MILLIS_OF_MINUTE = 60_000;
    private static final String NO_REPORT = "none";

    /**
     * Reads the settings by their names.
     *
     * @param property the value of a setting by its name
     * @throws IllegalArgumentException if one makes no sense
     */
    public static Settings read(Function<String, Optional<String>> property, String testClass) {
        return new Settings(
                property.apply(LEVEL).map(Settings::level).orElse(Level.FAILOVER),
                property.apply(RULES).map(Settings::rules).orElse(List.of("*")),
                report(property.apply(REPORT).orElse(null), testClass),
                property.apply(PROGRESS).map(Boolean::parseBoolean).orElse(false),
                new Drawn(
                        property.apply(SEED).map(Settings::seed).orElseGet(System::nanoTime),
                        property.apply(EXPLORE_MINUTES).map(Settings::minutes).orElse(EXPLORING),
                        property.apply(EXPLORE_STEPS).map(Settings::steps).orElse(Long.MAX_VALUE),
                        property.apply(SWEEP).map(Settings::everyNumber).orElse(false)));
    }

    private static boolean everyNumber(String text) {
        return switch (text.strip()) {
            case "some" -> false;
            case "all" -> true;
            default -> throw new IllegalArgumentException(SWEEP + " is '" + text + "'; expected some or all");
        };
    }

    private static Duration minutes(String text) {
        double minutes;
        try {
            minutes = Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            minutes = -1;
        }
        if (!(minutes >= 0 && minutes <= Integer.MAX_VALUE)) {
            throw new IllegalArgumentException(
                    EXPLORE_MINUTES + " is '" + text + "'; expected a number of minutes, such as 0.25 or 60");
        }
        return Duration.ofMillis(Math.round(minutes * MILLIS_OF_MINUTE));
    }

    private static long steps(String text) {
        long steps;
        try {
            steps = Long.parseLong(text.strip());
        } catch (NumberFormatException e) {
            steps = 0;
        }
        if (steps < 1) {
            throw new IllegalArgumentException(
                    EXPLORE_STEPS + " is '" + text + "'; expected a whole number, 1 or more");
        }
        return steps;
    }

    private static Level level(String text) {
        return Arrays.stream(Level.values())
                .filter(level -> Integer.toString(level.number()).equals(text.strip()))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        LEVEL + " is '" + text + "'; expected the highest level to run, from 1 to 6"));
    }

    private static List<String> rules(String text) {
        List<String> patterns =
                Arrays.stream(text.split(",", -1)).map(String::strip).toList();
        for (String pattern : patterns) {
            if (SpecRule.rules().keySet().stream().noneMatch(id -> matches(pattern, id))) {
                throw new IllegalArgumentException(RULES + " has '" + pattern
                        + "', which is no rule; expected ids of docs/SPEC.md, separated by commas, with * for any text,"
                        + " such as OBX-EXCL-* or "
                        + SpecRule.rules().keySet().iterator().next());
            }
        }
        return patterns;
    }

    private static long seed(String text) {
        try {
            return Long.parseLong(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    SEED + " is '" + text + "'; expected a whole number, as an earlier report names it", e);
        }
    }

    private static @Nullable Path report(@Nullable String text, String testClass) {
        if (text != null) {
            return text.equals(NO_REPORT) ? null : Path.of(text, testClass);
        }
        // Where Maven and Gradle put what they make; nowhere else is a report written unasked.
        return Stream.of("target", "build")
                .map(Path::of)
                .filter(Files::isDirectory)
                .findFirst()
                .map(folder -> folder.resolve("outbox-tck").resolve(testClass))
                .orElse(null);
    }

    /** Why a test is not asked for, or null if it is. */
    @Nullable
    public String leavesOut(RuleTest test) {
        if (test.level().compareTo(level) > 0) {
            return "only levels up to " + level.label() + " were asked for";
        }
        return asksFor(test.rule()) ? null : "only " + String.join(", ", rules) + " was asked for";
    }

    /** Whether a rule is to be tested. */
    public boolean asksFor(String rule) {
        return rules.stream().anyMatch(pattern -> matches(pattern, rule));
    }

    /** Whether only some rules are to be tested. */
    public boolean isPartial() {
        return SpecRule.rules().keySet().stream().anyMatch(rule -> !asksFor(rule));
    }

    private static boolean matches(String pattern, String id) {
        String regex = Arrays.stream(pattern.split("\\*", -1))
                .map(Pattern::quote)
                .reduce((a, b) -> a + ".*" + b)
                .get();
        return id.matches(regex);
    }
}
