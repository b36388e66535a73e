package dev.outbox.tck.internal.explore;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Random sequences of operations, until one is found that breaks the contract, or the time is over. Whatever is drawn
 * follows from the seed.
 *
 * @param target the store
 * @param lease how long a hold may outlive its client; zero if it does not
 * @param seed of everything that is drawn
 * @param time how long to explore at most
 * @param steps how many steps to run at most
 * @param shrinking how long to look for a shorter sequence
 * @param patience after which a call is said not to return
 */
public record Exploration(
        Target target, Duration lease, long seed, Duration time, long steps, Duration shrinking, Duration patience) {
    private static final int REPEATS = 2;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** This many are run, whatever time they take, until one of them has had a message. */
    private static final int LEAST_SEQUENCES = 20;

    /**
     * What came of it.
     *
     * @param sequences how many were run
     * @param steps how many steps they had
     * @param compared how many messages were compared with the model
     * @param inconclusive sequences of which nothing can be said: what was seen may have its cause outside of the store
     * @param finding what is wrong, or null
     */
    public record Outcome(
            int sequences,
            long steps,
            long compared,
            List<String> inconclusive,
            @Nullable Finding finding) {
        /** In a line. */
        public String summary() {
            return "explored " + sequences + " sequences of " + steps + " steps, in which " + compared
                    + " messages were compared"
                    + (inconclusive.isEmpty()
                            ? ""
                            : "; of " + inconclusive.size() + " nothing can be said, because "
                                    + inconclusive.get(0).lines().findFirst().orElse(""));
        }
    }

    /**
     * A sequence that breaks the contract.
     *
     * @param rule the id of the rule that is broken
     * @param observed what was seen and what was expected
     * @param steps the sequence, as calls on {@code Steps}
     * @param history how it was found, in a line
     */
    public record Finding(String rule, String observed, List<String> steps, String history) {
        /** A test, to be pasted into the class that tests the store. */
        public String code() {
            return steps.stream()
                    .map(step -> "\n                " + step)
                    .collect(Collectors.joining(
                            "",
                            "    @org.junit.jupiter.api.Test\n    void breaks" + rule.replaceAll("\\W", "")
                                    + "() throws Exception {\n        dev.outbox.tck.Replay.on(harness())",
                            "\n                .run();\n    }\n"));
        }

        /** All of it, for the message of a failure. */
        public String text() {
            return observed + "\n    " + history + ". This test repeats it:\n\n" + code();
        }
    }

    /** Runs the steps on a fresh outbox, and fails if an answer was wrong. */
    public static void repeat(Target target, Duration lease, List<Step> steps) {
        try (Runner runner = new Runner(target, lease, PATIENCE)) {
            Runner.Result result = runner.run(steps);
            if (result.end() != Runner.End.KEPT) {
                throw new AssertionError((result.rule().isEmpty() ? "Inconclusive" : result.rule() + " is broken")
                        + " at step " + result.ran() + ": " + result.observed());
            }
        }
    }

    /** Explores. */
    public Outcome run() {
        long end = System.nanoTime() + time.toNanos();
        List<String> inconclusive = new ArrayList<>();
        int sequences = 0;
        long ran = 0;
        try (Runner runner = new Runner(target, lease, patience)) {
            // On a busy machine the time may be over before anything was compared, which would prove nothing.
            while ((System.nanoTime() - end < 0 || runner.compared() == 0 && sequences < LEAST_SEQUENCES)
                    && ran < steps) {
                List<Step> sequence = Generator.sequence(seed * 1_000_003L + sequences);
                sequences++;
                Runner.Result result = runner.run(sequence);
                ran += result.ran();
                if (result.end() == Runner.End.KEPT) {
                    continue;
                }
                Finding finding = examine(runner, sequence, result, sequences);
                if (finding != null) {
                    return new Outcome(sequences, ran, runner.compared(), inconclusive, finding);
                }
                inconclusive.add("of seed " + seed + ", sequence " + sequences + ": " + result.observed());
            }
            return new Outcome(sequences, ran, runner.compared(), inconclusive, null);
        }
    }

    /** Null if nothing follows from it. */
    private @Nullable Finding examine(Runner runner, List<Step> sequence, Runner.Result result, int number) {
        if (result.end() == Runner.End.UNKNOWN) {
            return null;
        }
        Runner.Result last = result;
        for (int i = 0; i < REPEATS; i++) {
            Runner.Result again = runner.runAfresh(sequence.subList(0, Math.min(sequence.size(), result.ran())));
            boolean same = again.end() == result.end() && again.rule().equals(result.rule());
            if (!same && result.end() != Runner.End.BROKEN) {
                return null; // a failure of the server, say
            }
            if (!same) {
                return finding(
                        result,
                        sequence,
                        "Seed " + seed + ", sequence " + number + ", which did not do it when it was run again");
            }
            last = again;
        }
        String rule = result.rule();
        Runner.End kind = result.end();
        Runner.Result[] shortest = {last};
        Shrinker shrinker = new Shrinker(
                steps -> {
                    Runner.Result tried = runner.runAfresh(steps);
                    boolean wrong = tried.end() == kind && tried.rule().equals(rule);
                    if (wrong) {
                        shortest[0] = tried;
                    }
                    return wrong;
                },
                System.nanoTime() + shrinking.toNanos());
        List<Step> shrunk = shrinker.shrink(sequence.subList(0, Math.min(sequence.size(), result.ran())));
        return finding(
                shortest[0],
                shrunk,
                "Seed " + seed + ", sequence " + number + " of " + sequence.size() + " steps, shrunk to "
                        + shrunk.size() + " in " + shrinker.tries() + " runs");
    }

    private static Finding finding(Runner.Result result, List<Step> steps, String history) {
        return new Finding(
                result.rule(), result.observed(), steps.stream().map(Step::code).toList(), history);
    }
}
