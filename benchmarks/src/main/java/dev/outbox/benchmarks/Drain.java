package dev.outbox.benchmarks;

import dev.outbox.Codecs;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.micrometer.MeterDetail;
import dev.outbox.micrometer.OutboxMetrics;
import dev.outbox.relay.Relay;
import dev.outbox.relay.RoundResult;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Draining through the relay, with the bytes as they are and a publisher that does nothing, by one worker. */
final class Drain implements Contest.Side {
    /** How long a relay's worker waits when it found nothing, at first. */
    private static final long IDLE_NANOS = 10_000_000;

    private static final ExecutorService THREADS = Executors.newCachedThreadPool();

    private final Backlog backlog;
    private final int limit;
    private @Nullable Store store;
    private @Nullable Relay relay;
    private @Nullable OutboxMetrics metrics;
    private @Nullable MeterRegistry registry;
    private int workers = 1;
    private Function<String, Topic<?>> publishing = topic -> Topic.builder(topic, Codecs.bytes())
            .publisher(delivery -> Receipt.taken())
            .build();

    Drain(Backlog backlog, int limit) {
        this.backlog = backlog;
        this.limit = limit;
    }

    Drain workers(int more) {
        workers = more;
        return this;
    }

    /** Has the meters of the outbox in a registry, and asks the store as often as by default. */
    Drain metered(MeterRegistry meters) {
        registry = meters;
        return this;
    }

    /** Makes a topic of its name. */
    Drain publishing(Function<String, Topic<?>> other) {
        publishing = other;
        return this;
    }

    /** The same by hand, from one partition. */
    static Contest.Side byHand(Backlog backlog, int limit) {
        return new Contest.Side() {
            @Override
            public int unit() {
                return limit;
            }

            @Override
            public void prepare(int messages) throws Exception {
                backlog.ensure(messages);
            }

            @Override
            public void run(int messages) throws Exception {
                backlog.backend().drainBare(limit, messages);
                backlog.taken(messages);
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public int unit() {
        return limit * workers;
    }

    @Override
    public void prepare(int messages) throws Exception {
        backlog.ensure(messages);
        if (store == null) {
            store = backlog.backend().open();
            Relay.Builder builder = Relay.builder(store);
            backlog.load().topicNames().forEach(topic -> builder.topic(publishing.apply(topic)));
            if (registry != null) {
                metrics = OutboxMetrics.builder()
                        .store(store)
                        .detail(MeterDetail.TOPIC)
                        .build();
                metrics.bindTo(registry);
                builder.listener(metrics);
            }
            relay = builder.build();
        }
    }

    @Override
    public void run(int messages) {
        Relay running = Objects.requireNonNull(relay, "not prepared");
        AtomicInteger left = new AtomicInteger(messages);
        if (workers == 1) {
            work(running, left);
        } else {
            CompletableFuture<?>[] all = new CompletableFuture<?>[workers];
            Arrays.setAll(all, w -> CompletableFuture.runAsync(() -> work(running, left), THREADS));
            CompletableFuture.allOf(all).join();
        }
        backlog.taken(messages);
    }

    /** Until nothing is left that another worker is not about to do. */
    private void work(Relay running, AtomicInteger left) {
        int misses = 0;
        while (true) {
            int wanted = Math.min(limit, left.getAndUpdate(l -> l - Math.min(limit, l)));
            if (wanted == 0) {
                return;
            }
            RoundResult result = running.processMessages(wanted);
            if (result.storeError() != null) {
                throw result.storeError();
            }
            left.addAndGet(wanted - result.published());
            if (result.published() == 0) {
                if (workers == 1 || misses++ > 1000) {
                    throw new IllegalStateException("messages are missing: " + left);
                }
                LockSupport.parkNanos(IDLE_NANOS);
            }
        }
    }

    @Override
    public void close() {
        if (relay != null && store != null) {
            relay.close();
            if (metrics != null) {
                metrics.close();
            }
            store.close();
            relay = null;
            store = null;
        }
    }
}
