package dev.outbox.benchmarks;

import java.util.ArrayList;
import java.util.List;

/**
 * Two ways to do the same, by turns, each on an outbox of its own: a slice of the one, then a slice of the other, many times
 * a second, so that whatever else the machine does meets both. What counts is the ratio of each round.
 */
final class Contest {
    private static final int SLICES = 20;

    /** One way of doing it; only {@link #run} is measured. */
    interface Side {
        void prepare() throws Exception;

        /** Does one part of the work, of as many, and says how many messages that was. */
        int run(int parts) throws Exception;

        void tidy() throws Exception;
    }

    /** How long a side has worked in a round, and on how much. */
    private static final class Meter {
        private final Side side;
        private long messages;
        private long nanos;

        Meter(Side side) {
            this.side = side;
        }

        void slice() throws Exception {
            long start = System.nanoTime();
            messages += side.run(SLICES);
            nanos += System.nanoTime() - start;
        }

        double perSecond() {
            return messages * 1e9 / nanos;
        }
    }

    private Contest() {}

    /** Runs both sides so many times after a first that does not count. */
    static Figure of(String name, String versus, int rounds, Side ours, Side theirs) throws Exception {
        List<Double> rates = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        for (int round = 0; round <= rounds; round++) {
            ours.prepare();
            theirs.prepare();
            Meter our = new Meter(ours);
            Meter their = new Meter(theirs);
            for (int slice = 0; slice < SLICES; slice++) {
                (slice % 2 == 0 ? our : their).slice();
                (slice % 2 == 0 ? their : our).slice();
            }
            ours.tidy();
            theirs.tidy();
            if (round > 0) {
                rates.add(our.perSecond());
                ratios.add(our.perSecond() / their.perSecond());
            }
        }
        return new Figure(name, rates, ratios, versus);
    }
}
