package dev.outbox.benchmarks;

import dev.outbox.Codecs;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * How long a message takes from the call of commit to its publisher, compared with how long a commit and one read by
 * hand take, on which there is nothing else at the time, though at the same pace. Writers keep to a schedule, so that a
 * slow commit makes later ones late and not fewer. What is written first is not counted: on new connections a
 * server plans every statement, as that of the commit by hand did long before.
 */
final class Latency {
    private static final int[] PER_SECOND = {100, 1000, 5000};
    private static final double LEAD_SECONDS = 0.25;
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
                try (Relaying relaying = way == Way.IN_PROCESS ? inProcess(backend) : inAnother(backend, way)) {
                    latency.warmUp(backend, relaying);
                    for (int perSecond : PER_SECOND) {
                        latency.measure(backend, way, relaying, perSecond);
                    }
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

    /** Until the code is compiled: a compiler at work keeps one of few cores from everybody else for milliseconds. */
    private void warmUp(Backend backend, Relaying relaying) throws Exception {
        bare(backend, 1000);
        window(backend, relaying, 1000, run.atLength() ? 30 : 6);
    }

    private void measure(Backend backend, Way way, Relaying relaying, int perSecond) throws Exception {
        List<Double> bare = new ArrayList<>();
        List<Window> windows = new ArrayList<>();
        for (int round = 0; round < run.brief().rounds(); round++) {
            bare.add(bare(backend, perSecond));
            windows.add(window(backend, relaying, perSecond, run.atLength() ? 5 : 0.5));
        }
        String name = backend.name() + ".latency." + way.shown() + "." + perSecond;
        for (double percentile : PERCENTILES) {
            note(name, percentile, windows.stream().map(Window::latencies).toList(), bare);
        }
        note(name + ".commit", 0.5, windows.stream().map(Window::commits).toList(), bare);
        List<Double> rates = windows.stream().map(Window::rate).toList();
        run.note(new Figure(
                name + ".committed",
                "/s",
                rates,
                rates.stream().map(rate -> rate / perSecond).toList(),
                "schedule"));
    }

    private void note(String name, double percentile, List<List<Double>> millis, List<Double> bare) {
        List<Double> values =
                millis.stream().map(each -> Figure.at(each, percentile)).toList();
        List<Double> ratios = IntStream.range(0, values.size())
                .mapToObj(i -> values.get(i) / bare.get(i))
                .toList();
        run.note(new Figure(
                name + ".p" + Math.round(100 * percentile), "ms", values, ratios, "commit-and-checkout-by-hand"));
    }

    /**
     * Milliseconds of a commit and a checkout by hand, in the median, at the pace of the schedule: a machine that
     * sleeps in between is slower at each.
     */
    private static double bare(Backend backend, int perSecond) throws Exception {
        List<Double> millis = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            LockSupport.parkNanos(1_000_000_000L / perSecond);
            millis.add(backend.roundTrip() / 1e6);
        }
        return Figure.at(millis, 0.5);
    }

    /**
     * What came of one stretch of writing.
     *
     * @param latencies from the call of commit to the publisher, in milliseconds
     * @param commits from the call of commit to its return, in milliseconds
     * @param rate of commits in a second
     */
    private record Window(List<Double> latencies, List<Double> commits, double rate) {}

    private Window window(Backend backend, Relaying relaying, int perSecond, double seconds) throws Exception {
        int threads = Math.max(1, Math.min(8, perSecond / 500));
        int lead = (int) (perSecond * LEAD_SECONDS / threads);
        int each = lead + (int) (perSecond * seconds / threads);
        long[][] called = new long[threads][each];
        long[][] returned = new long[threads][each];
        relaying.start();
        CyclicBarrier connected = new CyclicBarrier(threads);
        CompletableFuture<?>[] all = new CompletableFuture<?>[threads];
        long[] starts = new long[threads];
        for (int t = 0; t < threads; t++) {
            int thread = t;
            all[t] = CompletableFuture.runAsync(
                    () -> {
                        try (Backend.Writer writer = backend.writer()) {
                            connected.await(10, TimeUnit.SECONDS);
                            starts[thread] = System.nanoTime();
                            write(
                                    writer,
                                    thread,
                                    called[thread],
                                    returned[thread],
                                    1_000_000_000L * threads / perSecond,
                                    relaying);
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    writers);
        }
        CompletableFuture.allOf(all).join();
        double rate = threads * each * 1e9 / (System.nanoTime() - starts[0]);
        Map<Long, Long> published = relaying.stop();
        List<Double> latencies = new ArrayList<>();
        List<Double> commits = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            for (int i = lead; i < each; i++) {
                Long at = published.get(number(t, i));
                if (at == null) {
                    throw new IllegalStateException("a message was not published within 10 s of the last commit");
                }
                latencies.add(Math.max(0, at - called[t][i]) / 1e3);
                commits.add((returned[t][i] - called[t][i]) / 1e3);
            }
        }
        return new Window(latencies, commits, rate);
    }

    private static long number(int thread, int i) {
        return thread * 1_000_000_000L + i;
    }

    private static void write(
            Backend.Writer writer, int thread, long[] called, long[] returned, long intervalNanos, Relaying relaying)
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
            returned[i] = RelayProcess.micros();
            relaying.committed();
        }
    }

    private static Relaying inProcess(Backend backend) {
        Store store = backend.open();
        Map<Long, Long> published = new ConcurrentHashMap<>();
        Topic<byte[]> topic = Topic.builder(Load.TOPIC, Codecs.bytes())
                .publisher(delivery -> {
                    published.put(RelayProcess.number(delivery), RelayProcess.micros());
                    return Receipt.of("done");
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
        RelayProcess process = RelayProcess.open(backend, backend.options(way == Way.CROSS_PROCESS));
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
