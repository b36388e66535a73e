package dev.outbox.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Relays in processes of their own: several on one outbox, and the memory of one. */
final class Processes {
    private static final int PARTITIONS = 16;
    private static final double MEBIBYTE = 1024 * 1024;

    private Processes() {}

    /** Several relays, on 16 partitions, compared with one of them. */
    static void relays(Run run) throws Exception {
        for (String name : run.atLength() ? run.backends() : run.of("postgres")) {
            if (name.equals("h2")) {
                continue; // is in one process
            }
            Backend backend = run.open(name).ours();
            List<RelayProcess> relays = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                relays.add(RelayProcess.open(backend, backend.options(false)));
            }
            int messages = run.atLength() ? 200_000 : 20_000;
            int[] counts = {2, 4};
            List<List<Double>> rates = List.of(new ArrayList<>(), new ArrayList<>());
            List<List<Double>> ratios = List.of(new ArrayList<>(), new ArrayList<>());
            for (int round = -1; round < run.brief().rounds(); round++) {
                double one = rate(backend, relays.subList(0, 1), messages);
                for (int i = 0; i < counts.length; i++) {
                    double more = rate(backend, relays.subList(0, counts[i]), messages);
                    if (round >= 0) {
                        rates.get(i).add(more);
                        ratios.get(i).add(more / one);
                    }
                }
            }
            for (int i = 0; i < counts.length; i++) {
                run.note(new Figure(name + ".relays." + counts[i], "/s", rates.get(i), ratios.get(i), "1-relay"));
            }
            for (RelayProcess relay : relays) {
                relay.close();
            }
        }
    }

    private static double rate(Backend backend, List<RelayProcess> relays, int messages) throws Exception {
        backend.clear();
        backend.add(Load.of(messages).inPartitions(PARTITIONS));
        long start = System.nanoTime();
        for (RelayProcess relay : relays) {
            relay.start();
        }
        while (!backend.isEmpty()) {
            LockSupport.parkNanos(1_000_000);
        }
        double rate = messages * 1e9 / (System.nanoTime() - start);
        for (RelayProcess relay : relays) {
            relay.stop();
        }
        return rate;
    }

    /** Memory of a relay while it publishes a batch of 1000, with much to do and with little. */
    static void heap(Run run) throws Exception {
        for (String name : run.atLength() ? run.backends() : run.of("postgres", "redis", "mongo")) {
            if (name.equals("h2")) {
                continue; // its own memory is in the process
            }
            Run.Pair pair = run.open(name);
            int much = run.atLength() ? 1_000_000 : 300_000;
            pair.ours().clear();
            pair.ours().add(Load.of(much));
            pair.theirs().clear();
            pair.theirs().add(Load.of(5_000));
            List<Double> values = new ArrayList<>();
            List<Double> ratios = new ArrayList<>();
            try (RelayProcess large = RelayProcess.open(pair.ours(), pair.ours().options(false));
                    RelayProcess small =
                            RelayProcess.open(pair.theirs(), pair.theirs().options(false))) {
                for (int round = 0; round < run.brief().rounds(); round++) {
                    double ours = large.heap() / MEBIBYTE;
                    pair.theirs().add(Load.of(3_000));
                    values.add(ours);
                    ratios.add(ours * MEBIBYTE / small.heap());
                }
            }
            run.note(new Figure(name + ".heap.backlog." + much, "MiB", values, ratios, "backlog-of-5000"));
        }
    }
}
