package dev.outbox.benchmarks;

import dev.outbox.Codec;
import dev.outbox.Codecs;
import dev.outbox.Delivery;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Draining by a relay that runs by itself: with workers, with another codec, with publishers that take their time. */
final class Spread {
    private static final long MILLISECOND = 1_000_000;
    private static final int IN_FLIGHT = 100;

    private Spread() {}

    /** What {@link Load#payload} is. */
    record Order(String customer, int amount, String note) {}

    /** With time for workers to share out the partitions. */
    private static Contest.Pace longTurns(Run run) {
        return new Contest.Pace(run.brief().rounds(), 2 * run.brief().seconds(), 1);
    }

    static void workers(Run run) throws Exception {
        Contest.Pace pace = longTurns(run);
        for (String name : run.atLength() ? run.backends() : run.of("postgres")) {
            Run.Pair pair = run.open(name);
            for (int limit : run.atLength() ? new int[] {10, 100, 1000} : new int[] {100}) {
                for (int partitions : new int[] {1, 4, 16}) {
                    for (int workers : run.atLength() ? new int[] {1, 2, 4} : new int[] {1, 4}) {
                        if (partitions * workers > 1) {
                            run.note(Contest.of(
                                    "%s.workers.limit%d.partitions%d.workers%d"
                                            .formatted(name, limit, partitions, workers),
                                    "1-partition-1-worker",
                                    pace,
                                    nothing(pair.ours(), Codecs.bytes(), limit, partitions, workers),
                                    nothing(pair.theirs(), Codecs.bytes(), limit, 1, 1)));
                        }
                    }
                }
            }
        }
    }

    static void codec(Run run) throws Exception {
        for (String name : run.atLength() ? run.backends() : run.of("postgres")) {
            Run.Pair pair = run.open(name);
            for (int limit : new int[] {10, 100, 1000}) {
                run.note(Contest.of(
                        name + ".jackson.limit" + limit,
                        "bytes",
                        run.brief(),
                        nothing(pair.ours(), Codecs.json(Order.class), limit, 1, 1),
                        nothing(pair.theirs(), Codecs.bytes(), limit, 1, 1)));
            }
        }
    }

    /** What is left of the speed of a publisher of 1 ms. */
    static void publisher(Run run) throws Exception {
        Contest.Pace pace = longTurns(run);
        for (String name : run.atLength() ? run.backends() : run.of("postgres")) {
            Run.Pair pair = run.open(name);
            Backend ours = pair.ours();
            run.note(Contest.of(
                    name + ".publisher.sync1ms.partitions16",
                    "1-partition",
                    pace,
                    new Drain(new Backlog(ours, Load.of(0).inPartitions(16)), 1000).publishing(Spread::slow),
                    new Drain(Backlog.of(pair.theirs()), 1000).publishing(Spread::slow)));
            for (int workers : new int[] {1, 4}) {
                run.note(Contest.of(
                        name + ".publisher.sync1ms.workers" + workers,
                        "publisher-alone-in-1-thread",
                        pace,
                        new Drain(new Backlog(ours, Load.of(0).inPartitions(workers)), 100)
                                .workers(workers)
                                .publishing(Spread::slow),
                        alone(100, messages -> {
                            for (int m = 0; m < messages; m++) {
                                LockSupport.parkNanos(MILLISECOND);
                            }
                        })));
            }
            run.note(Contest.of(
                    name + ".publisher.async1ms.inFlight" + IN_FLIGHT,
                    "publisher-alone",
                    pace,
                    new Drain(Backlog.of(ours), 1000)
                            .publishing(topic -> topic(topic, Codecs.bytes())
                                    .asyncPublisher(delivery -> answer())
                                    .inFlight(IN_FLIGHT)
                                    .build()),
                    alone(1000, messages -> inFlight(messages))));
        }
    }

    private static Topic<byte[]> slow(String name) {
        return topic(name, Codecs.bytes())
                .publisher(delivery -> {
                    LockSupport.parkNanos(MILLISECOND);
                    return Receipt.of("done");
                })
                .build();
    }

    private static CompletableFuture<Receipt> answer() {
        return new CompletableFuture<Receipt>().completeOnTimeout(Receipt.of("done"), 1, TimeUnit.MILLISECONDS);
    }

    private static void inFlight(int messages) throws InterruptedException {
        Semaphore places = new Semaphore(IN_FLIGHT);
        for (int m = 0; m < messages; m++) {
            places.acquire();
            var unused = answer().thenRun(places::release);
        }
        places.acquire(IN_FLIGHT);
    }

    private interface Publishing {
        void run(int messages) throws Exception;
    }

    private static Contest.Side alone(int unit, Publishing publishing) {
        return new Contest.Side() {
            @Override
            public int unit() {
                return unit;
            }

            @Override
            public void prepare(int messages) {}

            @Override
            public void run(int messages) throws Exception {
                publishing.run(messages);
            }

            @Override
            public void close() {}
        };
    }

    private static Drain nothing(Backend backend, Codec<?> codec, int limit, int partitions, int workers) {
        return new Drain(new Backlog(backend, Load.of(0).inPartitions(partitions)), limit)
                .workers(workers)
                .publishing(topic ->
                        topic(topic, codec).publisher(Spread::refuseNull).build());
    }

    private static <T> Topic.Builder<T> topic(String name, Codec<T> codec) {
        return Topic.builder(name, codec);
    }

    private static Receipt refuseNull(Delivery<?> delivery) {
        if (delivery.message() == null) {
            throw new IllegalStateException("a message that is not there");
        }
        return Receipt.of("done");
    }
}
