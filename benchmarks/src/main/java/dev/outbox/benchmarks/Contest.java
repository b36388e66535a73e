package dev.outbox.benchmarks;

import java.util.ArrayList;
import java.util.List;

/**
 * Two ways to do the same, by turns, so that whatever else the machine does meets both. What counts is the ratio of each
 * round: its median says more than the ratio of two medians on a machine with other things to do.
 */
final class Contest {
    /** One way of doing it; preparation is not measured. */
    interface Side {
        /** Does it and says how many messages it was. */
        int run() throws Exception;

        default void prepare() throws Exception {}

        default void tidy() throws Exception {}
    }

    private Contest() {}

    /** Runs both sides so many times after a first that does not count. */
    static Figure of(String name, String versus, int rounds, Side ours, Side theirs) throws Exception {
        List<Double> rates = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        for (int round = 0; round <= rounds; round++) {
            boolean oursFirst = round % 2 == 0;
            double first = rate(oursFirst ? ours : theirs);
            double second = rate(oursFirst ? theirs : ours);
            double our = oursFirst ? first : second;
            if (round > 0) {
                rates.add(our);
                ratios.add(our / (oursFirst ? second : first));
            }
        }
        return new Figure(name, rates, ratios, versus);
    }

    private static double rate(Side side) throws Exception {
        side.prepare();
        long start = System.nanoTime();
        int messages = side.run();
        double seconds = (System.nanoTime() - start) / 1e9;
        side.tidy();
        return messages / seconds;
    }
}
