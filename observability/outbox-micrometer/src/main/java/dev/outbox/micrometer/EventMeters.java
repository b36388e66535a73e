package dev.outbox.micrometer;

import dev.outbox.OutboxListener;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * What listeners are told, as timers and counters of one registry. A meter is asked of the registry once and kept,
 * because publishers may be called a hundred thousand times a second. Safe for use by several threads.
 */
final class EventMeters {
    static final String SNAPSHOT = "snapshot";
    private static final String NO_ERROR = "none";

    private final MeterRegistry registry;
    private final Tags common;
    private final MeterDetail detail;
    private final Timer checkout;
    private final DistributionSummary checkoutMessages;
    private final Timer settle;
    private final Map<String, Counter> storeFailures = new ConcurrentHashMap<>();
    private final Map<PublishKey, Timer> publish = new ConcurrentHashMap<>();
    private final Map<String, Timer> persist = new ConcurrentHashMap<>();
    private final Map<String, Timer> delay = new ConcurrentHashMap<>();

    // Guarded by itself.
    private final List<Meter> meters = new ArrayList<>();
    private boolean removed; // guarded by meters

    private record PublishKey(String topic, String outcome, String error) {}

    EventMeters(MeterRegistry registry, Tags common, MeterDetail detail) {
        this.registry = registry;
        this.common = common;
        this.detail = detail;
        checkout = timer("outbox.checkout", "How long relays waited for messages from the store", Tags.empty());
        checkoutMessages = kept(() -> DistributionSummary.builder("outbox.checkout.messages")
                .description("How many messages a checkout returned")
                .tags(common)
                .register(registry));
        settle = timer("outbox.settle", "How long closing a batch took", Tags.empty());
        for (OutboxListener.Step step : OutboxListener.Step.values()) {
            storeFailures(step.name().toLowerCase(Locale.ROOT)); // from 0, so that a rate sees the first
        }
        storeFailures(SNAPSHOT);
    }

    void persisted(OutboxListener.Persisted event) {
        of(
                        persist,
                        event.message().topic(),
                        "outbox.persist",
                        "How long writing into the outbox took, before the commit")
                .record(event.duration());
    }

    void checkedOut(OutboxListener.CheckedOut event) {
        checkout.record(event.duration());
        checkoutMessages.record(event.messages());
    }

    void published(OutboxListener.Published event) {
        String topic = event.message().topic();
        publish(topic, "published", NO_ERROR).record(event.duration());
        Duration waited = Duration.between(event.message().createdAt(), Instant.now());
        of(delay, topic, "outbox.delay", "From writing a message to the answer of its broker")
                .record(waited.isNegative() ? Duration.ZERO : waited); // the clocks are those of two machines
    }

    void failed(OutboxListener.Failed event) {
        publish(event.message().topic(), "failed", name(event.cause())).record(event.duration());
    }

    void deadLettered(OutboxListener.DeadLettered event) {
        publish(event.message().topic(), "dead", name(event.cause())).record(event.duration());
    }

    void settled(OutboxListener.Settled event) {
        settle.record(event.duration());
    }

    void storeFailed(OutboxListener.StoreFailed event) {
        storeFailures(event.step().name().toLowerCase(Locale.ROOT)).increment();
    }

    void snapshotFailed() {
        storeFailures(SNAPSHOT).increment();
    }

    /** Takes everything out of the registry, and lets nothing in again. */
    void remove() {
        synchronized (meters) {
            removed = true;
            meters.forEach(registry::remove);
            meters.clear();
        }
    }

    /** A publisher may answer while the meters are being removed. */
    private <M extends Meter> M kept(Supplier<M> registration) {
        synchronized (meters) {
            M made = registration.get();
            if (removed) {
                registry.remove(made);
            } else {
                meters.add(made);
            }
            return made;
        }
    }

    /** Classes are few; texts of exceptions are not, so they are no tags. */
    private static String name(Throwable cause) {
        String name = cause.getClass().getSimpleName();
        return name.isEmpty() ? "anonymous" : name;
    }

    private Timer publish(String topic, String outcome, String error) {
        return publish.computeIfAbsent(
                new PublishKey(key(topic), outcome, error),
                absent -> timer(
                        "outbox.publish",
                        "How long publishers took for a message",
                        detail.of(topic).and("outcome", outcome, "error", error)));
    }

    private Timer of(Map<String, Timer> timers, String topic, String name, String description) {
        return timers.computeIfAbsent(key(topic), absent -> timer(name, description, detail.of(topic)));
    }

    /** What meters are kept by. */
    private String key(String topic) {
        return detail == MeterDetail.OUTBOX ? "" : topic;
    }

    private Counter storeFailures(String step) {
        return storeFailures.computeIfAbsent(
                step,
                absent -> kept(() -> Counter.builder("outbox.store.failures")
                        .description("How often the store failed a relay, or a question for metrics")
                        .tags(common.and("step", step))
                        .register(registry)));
    }

    private Timer timer(String name, String description, Tags tags) {
        return kept(() -> Timer.builder(name)
                .description(description)
                .tags(common.and(tags))
                .register(registry));
    }
}
