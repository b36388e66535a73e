package dev.outbox.benchmarks;

import dev.outbox.Codecs;
import dev.outbox.Relay;
import dev.outbox.Store;
import dev.outbox.Topic;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;

/**
 * How long a message takes from the call of commit to its publisher, beside how long a commit and one read by hand take, on
 * which there is nothing else at the time, though at the same pace. Writers keep to a schedule, so that a slow commit makes those behind it late and
 * not fewer.
 */
final class Latency {
    private static final int[] PER_SECOND = {100, 1000, 5000};
    private static final double[] PERCENTILES = {0.5, 0.95, 0.99};

    /** How the relay hears of a commit. */
    private enum Way {
        IN_PROCESS,
        CROSS_PROCESS,
        POLLING;

        String shown() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private final Run run;
    private final ExecutorService writers = Executors.newCachedThreadPool();

    private Latency(Run run) {
        this.run = run;
    }

    static void measure(Run run) throws Exception {
        Latency latency = new Latency(run);
        for (String name : run.atLength() ? run.of("postgres", "redis", "mongo") : run.of("postgres")) {
            for (Way way : Way.values()) {
                Backend backend = run.openOne(name);
                backend.clear();
                for (int perSecond : PER_SECOND) {
                    latency.measure(backend, way, perSecond);
                }
                backend.close();
            }
        }
        latency.writers.shutdown();
    }

    /** What may be published in one window, and when it was. */
    private interface Relaying extends AutoCloseable {
        void start() throws Exception;

        void committed();

        /** When everything that was published since the start was published. */
        Map<Long, Long> stop() throws Exception;

        @Override
        void close() throws IOException;
    }

    private void measure(Backend backend, Way way, int perSecond) throws Exception {
        List<List<Double>> values = new ArrayList<>();
        List<List<Double>> ratios = new ArrayList<>();
        for (int p = 0; p < PERCENTILES.length; p++) {
            values.add(new ArrayList<>());
            ratios.add(new ArrayList<>());
        }
        List<Double> rates = new ArrayList<>();
        double seconds = run.atLength() ? 5 : 0.5;
        try (Relaying relaying = way == Way.IN_PROCESS ? inProcess(backend) : inAnother(backend, way)) {
            for (int window = -1; window < run.brief().rounds(); window++) {
                double bare = bare(backend, perSecond);
                List<Double> latencies = window(backend, relaying, perSecond, seconds, rates);
                if (window >= 0) {
                    for (int p = 0; p < PERCENTILES.length; p++) {
                        double value = Figure.at(latencies, PERCENTILES[p]);
                        values.get(p).add(value);
                        ratios.get(p).add(value / bare);
                    }
                } else {
                    rates.clear();
                }
            }
        }
        String name = backend.name() + ".latency." + way.shown() + "." + perSecond;
        for (int p = 0; p < PERCENTILES.length; p++) {
            run.note(new Figure(
                    name + ".p" + Math.round(100 * PERCENTILES[p]),
                    "ms",
                    values.get(p),
                    ratios.get(p),
                    "commit-and-checkout-by-hand"));
        }
        run.note(new Figure(
                name + ".committed",
                "/s",
                rates,
                rates.stream().map(rate -> rate / perSecond).toList(),
                "schedule"));
    }

    /**
     * Milliseconds of a commit and a checkout by hand, in the median, at the pace of the schedule: a machine that sleeps in
     * between is slower at each.
     */
    private static double bare(Backend backend, int perSecond) throws Exception {
        List<Double> millis = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            LockSupport.parkNanos(1_000_000_000L / perSecond);
            millis.add(backend.roundTrip() / 1e6);
        }
        return Figure.at(millis, 0.5);
    }

    private List<Double> window(Backend backend, Relaying relaying, int perSecond, double seconds, List<Double> rates)
            throws Exception {
        int threads = Math.max(1, Math.min(8, perSecond / 500));
        int each = (int) (perSecond * seconds / threads);
        long[][] called = new long[threads][each];
        relaying.start();
        long start = System.nanoTime();
        CompletableFuture<?>[] all = new CompletableFuture<?>[threads];
        for (int t = 0; t < threads; t++) {
            int thread = t;
            all[t] = CompletableFuture.runAsync(
                    () -> {
                        try (Backend.Writer writer = backend.writer()) {
                            write(writer, thread, called[thread], 1_000_000_000L * threads / perSecond, relaying);
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    writers);
        }
        CompletableFuture.allOf(all).join();
        rates.add(threads * each * 1e9 / (System.nanoTime() - start));
        Map<Long, Long> published = relaying.stop();
        List<Double> latencies = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            for (int i = 0; i < each; i++) {
                Long at = published.get(number(t, i));
                if (at == null) {
                    throw new IllegalStateException("a message was not published within 10 s of the last commit");
                }
                latencies.add(Math.max(0, at - called[t][i]) / 1e3);
            }
        }
        return latencies;
    }

    private static long number(int thread, int i) {
        return thread * 1_000_000_000L + i;
    }

    private static void write(Backend.Writer writer, int thread, long[] called, long intervalNanos, Relaying relaying)
            throws Exception {
        byte[] payload = Load.payload(Load.USUAL_BYTES);
        long start = System.nanoTime() + intervalNanos * thread / 8;
        for (int i = 0; i < called.length; i++) {
            for (long early = 1; early > 0; ) {
                early = start + i * intervalNanos - System.nanoTime();
                if (early > 0) {
                    LockSupport.parkNanos(early);
                }
            }
            ByteBuffer.wrap(payload).putLong(number(thread, i));
            writer.begin();
            writer.publisher().publish(Arrays.copyOf(payload, payload.length));
            called[i] = RelayProcess.micros();
            writer.commit();
            relaying.committed();
        }
    }

    private static Relaying inProcess(Backend backend) {
        Store store = backend.open(1);
        Map<Long, Long> published = new ConcurrentHashMap<>();
        Topic<byte[]> topic = Topic.builder(Load.TOPIC, Codecs.bytes())
                .publisher(delivery -> {
                    published.put(RelayProcess.number(delivery), RelayProcess.micros());
                    return "done";
                })
                .build();
        return new Relaying() {
            private Relay relay = Relay.builder(store).topic(topic).build();

            @Override
            public void start() {
                relay = Relay.builder(store).topic(topic).build();
                relay.start();
            }

            @Override
            public void committed() {
                relay.wakeUp();
            }

            @Override
            public Map<Long, Long> stop() throws Exception {
                settle(backend);
                relay.close();
                Map<Long, Long> all = Map.copyOf(published);
                published.clear();
                return all;
            }

            @Override
            public void close() {
                store.close();
            }
        };
    }

    private static Relaying inAnother(Backend backend, Way way) throws Exception {
        RelayProcess process = RelayProcess.open(backend, backend.options(1, way == Way.CROSS_PROCESS));
        return new Relaying() {
            @Override
            public void start() throws Exception {
                process.start();
            }

            @Override
            public void committed() {}

            @Override
            public Map<Long, Long> stop() throws Exception {
                settle(backend);
                return process.stop();
            }

            @Override
            public void close() throws IOException {
                process.close();
            }
        };
    }

    /** Waits until the outbox is empty, or 10 seconds. */
    private static void settle(Backend backend) throws Exception {
        long end = System.nanoTime() + 10_000_000_000L;
        while (!backend.isEmpty() && System.nanoTime() < end) {
            LockSupport.parkNanos(1_000_000);
        }
    }
}
