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
        /** Makes ready so many messages to be worked on in this round. */
        void prepare(int messages) throws Exception;

        /** Works on so many of them. */
        void run(int messages) throws Exception;

        void tidy() throws Exception;
    }

    /**
     * How long to measure.
     *
     * @param rounds that count
     * @param seconds that a side is to work in each
     */
    record Pace(int rounds, double seconds) {}

    /** How long a side has worked in a round, and on how much. */
    private static final class Meter {
        private final Side side;
        private long messages;
        private long nanos;

        Meter(Side side) {
            this.side = side;
        }

        void slice(int slice) throws Exception {
            long start = System.nanoTime();
            side.run(slice);
            nanos += System.nanoTime() - start;
            messages += slice;
        }

        double perSecond() {
            return messages * 1e9 / nanos;
        }
    }

    private final Side ours;
    private final Side theirs;
    private final int unit;
    private final List<Double> rates = new ArrayList<>();
    private final List<Double> ratios = new ArrayList<>();

    private Contest(Side ours, Side theirs, int unit) {
        this.ours = ours;
        this.theirs = theirs;
        this.unit = unit;
    }

    /**
     * Runs both sides, first in two rounds that do not count: they warm up and say how much a round can do.
     *
     * @param unit what is worked on at a time, so that a slice is a multiple of it
     */
    static Figure of(String name, String versus, Pace pace, int unit, Side ours, Side theirs) throws Exception {
        Contest contest = new Contest(ours, theirs, unit);
        double perSecond = contest.round(1);
        for (int round = 0; round <= pace.rounds(); round++) {
            int slice = (int) (perSecond * pace.seconds() / SLICES / unit);
            double rate = contest.round(Math.max(1, Math.min(slice, 100_000 / unit)));
            if (round == 0) {
                perSecond = rate;
                contest.rates.clear();
                contest.ratios.clear();
            }
        }
        return new Figure(name, "/s", contest.rates, contest.ratios, versus);
    }

    /** Returns how fast both were together. */
    private double round(int units) throws Exception {
        int slice = units * unit;
        ours.prepare(SLICES * slice);
        theirs.prepare(SLICES * slice);
        Meter our = new Meter(ours);
        Meter their = new Meter(theirs);
        try {
            for (int i = 0; i < SLICES; i++) {
                (i % 2 == 0 ? our : their).slice(slice);
                (i % 2 == 0 ? their : our).slice(slice);
            }
        } finally {
            ours.tidy();
            theirs.tidy();
        }
        rates.add(our.perSecond());
        ratios.add(our.perSecond() / their.perSecond());
        return 2.0 * our.messages * 1e9 / (our.nanos + their.nanos);
    }
}
