package dev.outbox.benchmarks;

/** How the cost of draining, with a limit of 100, grows with what is there. */
final class Growth {
    private static final int LIMIT = 100;
    private static final int FEW = 10_000;

    private Growth() {}

    static void backlog(Run run) throws Exception {
        for (String name : run.backends()) {
            int[] sizes = run.atLength()
                    ? new int[] {100_000, 500_000, 1_000_000, 10_000_000}
                    : new int[] {500_000, 1_000_000};
            for (int size : sizes) {
                grown(run, name, "backlog" + size / 1000 + "k", Load.of(size));
            }
        }
    }

    private static void grown(Run run, String name, String to, Load load) throws Exception {
        Run.Pair pair = run.open(name);
        run.note(Contest.of(
                name + ".drain." + to,
                FEW / 1000 + "k-in-1-partition",
                run.pace(),
                new Drain(pair.ours(), LIMIT, load),
                new Drain(pair.theirs(), LIMIT, Load.of(FEW))));
    }
}
