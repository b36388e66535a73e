package dev.outbox.benchmarks;

import java.util.ArrayList;
import java.util.List;

/**
 * Two ways to do the same, by turns, each on an outbox of its own: a slice of the one, then a slice of the other, many
 * times a second, so that whatever else the machine does meets both. What counts is the ratio of each round.
 */
final class Contest {
    /** One way of doing it; only {@link #run} is measured. */
    interface Side {
        /** What is worked on at a time: slices are multiples of it. */
        int unit();

        /** Prepares this number of messages for the next round. It may leave open what it opened. */
        void prepare(int messages) throws Exception;

        /** Works on this number of messages. */
        void run(int messages) throws Exception;

        /** After the last round. */
        void close() throws Exception;
    }

    /**
     * How long to measure.
     *
     * @param rounds that count
     * @param seconds that a side is to work in each
     * @param slices of a round
     */
    record Pace(int rounds, double seconds, int slices) {}

    /** How long a side has worked in a round, and on how much. */
    private static final class Meter {
        private final Side side;
        private int slice;
        private long messages;
        private long nanos;

        Meter(Side side) {
            this.side = side;
            this.slice = side.unit();
        }

        void start(int slices) throws Exception {
            messages = 0;
            nanos = 0;
            side.prepare(slices * slice);
        }

        void slice() throws Exception {
            long start = System.nanoTime();
            side.run(slice);
            nanos += System.nanoTime() - start;
            messages += slice;
        }

        double perSecond() {
            return messages * 1e9 / nanos;
        }

        /** For the next round to take so long. */
        void size(double secondsOfSlice) {
            int units = (int) (perSecond() * secondsOfSlice / side.unit());
            slice = Math.max(1, Math.min(units, 100_000 / side.unit())) * side.unit();
        }
    }

    private final Meter our;
    private final Meter their;
    private final Pace pace;

    private Contest(Side ours, Side theirs, Pace pace) {
        this.our = new Meter(ours);
        this.their = new Meter(theirs);
        this.pace = pace;
    }

    /**
     * Runs both sides, first in two rounds that do not count: they warm up and say how much each side does in its time.
     */
    static Figure of(String name, String versus, Pace pace, Side ours, Side theirs) throws Exception {
        Contest contest = new Contest(ours, theirs, pace);
        List<Double> rates = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        try {
            for (int round = -2; round < pace.rounds(); round++) {
                contest.round(Math.floorMod(round, 2));
                if (round < 0) {
                    double secondsOfSlice = pace.seconds() / pace.slices();
                    contest.our.size(secondsOfSlice);
                    contest.their.size(secondsOfSlice);
                } else {
                    rates.add(contest.our.perSecond());
                    ratios.add(contest.our.perSecond() / contest.their.perSecond());
                }
            }
        } finally {
            ours.close();
            theirs.close();
        }
        return new Figure(name, "/s", rates, ratios, versus);
    }

    /**
     * @param first 0 if ours is the first to work on what was made ready, which may not be as warm as the rest; 1 if
     * theirs is
     */
    private void round(int first) throws Exception {
        our.start(pace.slices());
        their.start(pace.slices());
        for (int i = 0; i < pace.slices(); i++) {
            ((i + first) % 2 == 0 ? our : their).slice();
            ((i + first) % 2 == 0 ? their : our).slice();
        }
    }
}
