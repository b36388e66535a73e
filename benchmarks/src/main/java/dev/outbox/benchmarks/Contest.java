package dev.outbox.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Ways to do the same, by turns, each on an outbox of its own: a slice of the one, then a slice of the next, many times
 * a second, so that whatever else the machine does meets all of them. What counts is the ratio of each round.
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

    /**
     * What a side has done in a round.
     *
     * @param perSecond messages
     * @param cpuMicros for each message, of all cores, clients and servers together
     */
    record Rate(double perSecond, double cpuMicros) {}

    /** How long a side has worked in a round, and on how much. */
    private static final class Meter {
        private final Side side;
        private int slice;
        private long messages;
        private long nanos;
        private double cpuSeconds;

        Meter(Side side) {
            this.side = side;
            this.slice = side.unit();
        }

        void start(int slices) throws Exception {
            messages = 0;
            nanos = 0;
            cpuSeconds = 0;
            side.prepare(slices * slice);
        }

        void slice() throws Exception {
            double cpu = Cpu.seconds();
            long start = System.nanoTime();
            side.run(slice);
            nanos += System.nanoTime() - start;
            cpuSeconds += Cpu.seconds() - cpu;
            messages += slice;
        }

        double perSecond() {
            return messages * 1e9 / nanos;
        }

        Rate rate() {
            return new Rate(perSecond(), cpuSeconds * 1e6 / messages);
        }

        /** For the next round to take so long. */
        void size(double secondsOfSlice) {
            int units = (int) (perSecond() * secondsOfSlice / side.unit());
            slice = Math.max(1, Math.min(units, 100_000 / side.unit())) * side.unit();
        }
    }

    private final List<Meter> meters;
    private final Pace pace;

    private Contest(List<Side> sides, Pace pace) {
        this.meters = sides.stream().map(Meter::new).toList();
        this.pace = pace;
    }

    /** What ours is to theirs. */
    static Figure of(String name, String versus, Pace pace, Side ours, Side theirs) throws Exception {
        List<List<Rate>> rounds = rates(pace, List.of(ours, theirs));
        return figure(name, versus, perSecond(rounds), rates -> rates[1]);
    }

    /** What the first side is to something that is computed from the rates of all sides in a round. */
    static Figure figure(String name, String versus, List<double[]> rounds, ToDoubleFunction<double[]> other) {
        List<Double> rates = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        for (double[] round : rounds) {
            rates.add(round[0]);
            ratios.add(round[0] / other.applyAsDouble(round));
        }
        return new Figure(name, "/s", rates, ratios, versus);
    }

    /**
     * Runs all sides and closes them. Two rounds at first do not count: they warm up and say how much each side does in
     * its time.
     *
     * @return what each side has done, for each round that counts
     */
    static List<List<Rate>> rates(Pace pace, List<Side> sides) throws Exception {
        Contest contest = new Contest(sides, pace);
        List<List<Rate>> rounds = new ArrayList<>();
        try {
            for (int round = -2; round < pace.rounds(); round++) {
                contest.round(round + 2);
                if (round < 0) {
                    contest.meters.forEach(meter -> meter.size(pace.seconds() / pace.slices()));
                } else {
                    rounds.add(contest.meters.stream().map(Meter::rate).toList());
                }
            }
        } finally {
            for (Side side : sides) {
                side.close();
            }
        }
        return rounds;
    }

    /** The messages per second of each side, for each round. */
    static List<double[]> perSecond(List<List<Rate>> rounds) {
        return rounds.stream()
                .map(round -> round.stream().mapToDouble(Rate::perSecond).toArray())
                .toList();
    }

    /**
     * @param first the side that is the first to work on what was made ready, which may not be as warm as the rest;
     *     modulo the number of sides
     */
    private void round(int first) throws Exception {
        for (Meter meter : meters) {
            meter.start(pace.slices());
        }
        for (int i = 0; i < pace.slices(); i++) {
            for (int side = 0; side < meters.size(); side++) {
                meters.get((first + i + side) % meters.size()).slice();
            }
        }
    }
}
