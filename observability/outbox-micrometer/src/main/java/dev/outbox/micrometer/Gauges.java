package dev.outbox.micrometer;

import dev.outbox.micrometer.MeterDetail.Row;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Gauges of one registry. They hold what they show by strong references, and read only what is in memory. A topic that
 * was seen once keeps its gauges and shows 0 when it has nothing, so that a line in a graph does not end there. Safe
 * for use by several threads.
 */
final class Gauges {
    private final MeterRegistry registry;
    private final Tags common;

    // Guarded by this. A row is added after its gauges were registered, so that a registry that refuses is asked again.
    private final List<Meter> meters = new ArrayList<>();
    private final Set<Row> backlog = new HashSet<>();
    private final Set<Row> failing = new HashSet<>();
    private final Set<Row> dead = new HashSet<>();
    private boolean removed;

    Gauges(MeterRegistry registry, Tags common) {
        this.registry = registry;
        this.common = common;
    }

    void store(StoreWatch watch) {
        seconds(
                "outbox.snapshot.age",
                "How old the answer of the store is that the gauges are made from",
                Tags.empty(),
                watch::goodAgeSeconds);
    }

    void relays(RelayWatch watch) {
        seconds(
                "outbox.relay.last.round",
                "How long ago a round of the relay last ended without an error of the store",
                Tags.empty(),
                watch::secondsSinceGoodRound);
        number("outbox.relay.topics.left.out", "Topics whose brokers seem to be away", Tags.empty(), watch::leftOut);
        number(
                "outbox.relay.partitions.set.aside",
                "Partitions whose outcomes the store refuses",
                Tags.empty(),
                watch::setAside);
        number(
                "outbox.relay.unsettled",
                "Messages with an outcome that is not written into the store yet",
                Tags.empty(),
                watch::unsettled);
    }

    /** Makes gauges for what a snapshot names for the first time. */
    synchronized void rows(StoreWatch watch, Snapshot snapshot) {
        for (Row row : snapshot.pending().keySet()) {
            backlog(watch, row);
        }
        for (Row row : snapshot.failing().keySet()) {
            backlog(watch, row); // it waits, too
        }
        for (Row row : snapshot.deadLetters().keySet()) {
            dead(watch, row);
        }
    }

    synchronized void backlog(StoreWatch watch, Row row) {
        if (!backlog.contains(row)) {
            number(
                    "outbox.backlog.messages",
                    "Messages that wait in the outbox; of each partition at most 10,000 are" + " counted",
                    row.tags(),
                    count(watch, Snapshot::pending, row));
            seconds("outbox.backlog.age", "How long the oldest message has waited", row.tags(), () -> {
                Snapshot now = watch.current();
                return now == null ? Double.NaN : seconds(now.oldest().get(row));
            });
            backlog.add(row);
        }
        if (!failing.contains(row)) {
            number(
                    "outbox.partitions.failing",
                    "Partitions whose first message has failed and waits for its next attempt",
                    row.tags(),
                    count(watch, Snapshot::failing, row));
            failing.add(row);
        }
    }

    synchronized void dead(StoreWatch watch, Row row) {
        if (!dead.contains(row)) {
            number(
                    "outbox.dead.letters",
                    "Messages that were given up; of each topic at most 10,000 are counted",
                    row.tags(),
                    count(watch, Snapshot::deadLetters, row));
            dead.add(row);
        }
    }

    private static Supplier<Number> count(StoreWatch watch, Function<Snapshot, Map<Row, Long>> counts, Row row) {
        return () -> {
            Snapshot now = watch.current();
            return now == null
                    ? Double.NaN
                    : counts.apply(now).getOrDefault(row, 0L).doubleValue();
        };
    }

    private static double seconds(@Nullable Duration duration) {
        return duration == null ? 0 : duration.toNanos() / 1e9;
    }

    private synchronized void number(String name, String description, Tags tags, Supplier<Number> value) {
        if (!removed) {
            meters.add(Gauge.builder(name, value)
                    .description(description)
                    .tags(common.and(tags))
                    .strongReference(true)
                    .register(registry));
        }
    }

    private synchronized void seconds(String name, String description, Tags tags, Supplier<Number> value) {
        if (!removed) {
            meters.add(TimeGauge.builder(name, value, TimeUnit.SECONDS)
                    .description(description)
                    .tags(common.and(tags))
                    .strongReference(true)
                    .register(registry));
        }
    }

    /** Takes everything out of the registry, and lets nothing in again. */
    synchronized void remove() {
        removed = true;
        meters.forEach(registry::remove);
        meters.clear();
    }
}
