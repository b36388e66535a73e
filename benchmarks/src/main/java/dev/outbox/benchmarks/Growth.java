package dev.outbox.benchmarks;

import java.util.List;
import java.util.Objects;

/** How the speed of draining, with a limit of 100, changes with what is there. */
final class Growth {
    private static final int LIMIT = 100;
    private static final int FEW = 10_000;

    /** A round takes less. */
    private static final int SPARE = 200_000;

    private Growth() {}

    static void backlog(Run run) throws Exception {
        List<String> backends = run.atLength() ? run.backends() : run.of("postgres", "redis", "mongo");
        int[] sizes =
                run.atLength() ? new int[] {100_000, 500_000, 1_000_000, 10_000_000} : new int[] {500_000, 1_000_000};
        for (String name : backends) {
            Run.Pair pair = run.open(name);
            Backlog backlog = Backlog.of(pair.ours());
            for (int size : sizes) {
                backlog.grow(size, SPARE);
                run.note(Contest.of(
                        name + ".drain.backlog." + size,
                        "backlog-of-10000",
                        run.pace(),
                        new Drain(backlog, LIMIT),
                        new Drain(new Backlog(pair.theirs(), Load.of(FEW)), LIMIT)));
            }
        }
    }

    static void partitions(Run run) throws Exception {
        for (String name : run.atLength() ? run.backends() : run.of("postgres")) {
            for (int partitions : new int[] {16, 256}) {
                grown(
                        run,
                        name,
                        "partitions." + partitions,
                        "1-partition",
                        Load.of(FEW).inPartitions(partitions));
            }
        }
    }

    static void topics(Run run) throws Exception {
        for (String name : run.atLength() ? run.backends() : run.of("postgres")) {
            for (int topics : new int[] {10, 100}) {
                grown(run, name, "topics." + topics, "1-topic", Load.of(FEW).inTopics(topics));
            }
        }
    }

    private static void grown(Run run, String name, String to, String versus, Load load) throws Exception {
        Run.Pair pair = run.open(name);
        run.note(Contest.of(
                name + ".drain." + to,
                versus,
                run.brief(),
                new Drain(new Backlog(pair.ours(), load), LIMIT),
                new Drain(new Backlog(pair.theirs(), Load.of(FEW)), LIMIT)));
    }

    /** Large payloads compared with a loop by hand with the same. */
    static void payload(Run run) throws Exception {
        for (String name : run.atLength() ? run.backends() : run.of("postgres")) {
            Run.Pair pair = run.open(name);
            int[] sizes = run.atLength()
                    ? new int[] {100, 1_000, 10_000, 100_000, 1 << 20}
                    : new int[] {100, 10_000, 1 << 20};
            for (int bytes : sizes) {
                Load load = Load.of(0).ofBytes(bytes);
                int limit = bytes > 50_000 ? 10 : LIMIT; // what fits into memory many times
                Contest.Pace pace = new Contest.Pace(
                        run.brief().rounds(),
                        run.brief().seconds(),
                        bytes > 50_000 ? 2 : run.brief().slices());
                run.note(Contest.of(
                        name + ".drain.payload." + bytes,
                        "bare-loop",
                        pace,
                        new Drain(new Backlog(pair.ours(), load), limit),
                        Drain.byHand(new Backlog(pair.theirs(), load), limit)));
            }
        }
    }

    /** Compares a store after many messages were settled under a snapshot that is held with one without a snapshot. */
    static void snapshot(Run run) throws Exception {
        for (String name : run.atLength() ? run.of("postgres", "mysql", "mariadb") : run.of("postgres")) {
            Run.Pair pair = run.open(name);
            Sql ours = (Sql) pair.ours();
            Backlog backlog = Backlog.of(ours);
            backlog.grow(FEW, 1_200_000);
            // Not prepared again for every round, so that its pages are no warmer than ours.
            Backlog free = Backlog.of(pair.theirs());
            free.grow(FEW, 700_000);
            // Long enough that a store has to look from the start now and then.
            Contest.Pace pace = new Contest.Pace(
                    run.brief().rounds(), 4 * run.pace().seconds(), run.brief().slices());
            try (AutoCloseable snapshot = ours.holdSnapshot()) {
                Objects.requireNonNull(snapshot);
                for (int dead : new int[] {50_000, 500_000}) {
                    Drain drain = new Drain(backlog, LIMIT);
                    drain.prepare(0);
                    int more = dead - backlog.everTaken();
                    if (more > 0) {
                        drain.run(more);
                    }
                    run.note(Contest.of(
                            name + ".drain.snapshot." + dead, "no-snapshot", pace, drain, new Drain(free, LIMIT)));
                }
            }
        }
    }
}
