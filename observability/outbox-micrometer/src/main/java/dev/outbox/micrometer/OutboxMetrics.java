package dev.outbox.micrometer;

import dev.outbox.Capability;
import dev.outbox.ConfigurationException;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.OutboxListener;
import dev.outbox.Store;
import dev.outbox.internal.Quietly;
import dev.outbox.relay.Relay;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The meters of an outbox: what waits, for how long, what fails, what was given up, and how long everything takes. As a
 * listener it hears of messages: give it to topics, relays, or both. As a binder it puts its meters into registries.
 *
 * <pre>{@code
 * OutboxMetrics metrics = OutboxMetrics.builder().store(store).detail(MeterDetail.TOPIC).build();
 * Relay relay = Relay.builder(store).topic(orders).listener(metrics).build();
 * metrics.watch(relay);
 * metrics.bindTo(registry);
 * }</pre>
 *
 * <p>Reading a meter never asks the store. One thread of its own does that, every {@link Builder#refresh}, and the
 * gauges show its last answer. They show NaN when the store failed, and when the answer is older than
 * {@link Builder#maxAge}. All processes on one outbox show the same numbers for it: take their maximum, not their sum.
 *
 * <p>Safe for use by several threads.
 */
public final class OutboxMetrics implements OutboxListener, MeterBinder, AutoCloseable {
    /** What {@link Builder#refresh} is unless it is set: 15 seconds. */
    public static final Duration DEFAULT_REFRESH = Duration.ofSeconds(15);

    private static final Quietly TELLING = new Quietly(
            "dev.outbox.micrometer",
            "[OUTBOX-604] A registry refuses gauges. They are missing, and are offered again after the next question"
                    + " for metrics");

    private final MeterDetail detail;
    private final Tags tags;
    private final @Nullable StoreWatch store;
    private final RelayWatch relays = new RelayWatch();
    private final List<Bound> bound = new CopyOnWriteArrayList<>();

    // Guarded by this.
    private boolean started;
    private boolean closed;

    /** The meters of one registry. */
    private record Bound(MeterRegistry registry, EventMeters events, Gauges gauges) {}

    private OutboxMetrics(Builder builder) {
        this.detail = builder.detail;
        this.tags = builder.tags;
        Operations operations = builder.operations;
        Duration maxAge = builder.maxAge == null ? builder.refresh.multipliedBy(4) : builder.maxAge;
        this.store = operations == null
                ? null
                : new StoreWatch(
                        operations, detail, builder.refresh, maxAge, this::tellGauges, this::countSnapshotFailure);
    }

    /** Starts with the defaults: no store, no tags. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Puts the meters into a registry. The first call starts the thread that asks the store. Binding to the same
     * registry again does nothing.
     *
     * @throws MisuseException if it is closed, or the registry has the meters of another outbox, and both have the same
     *     tags, different keys of tags or a different {@link Builder#detail}: see {@link Builder#tag}
     */
    @Override
    public synchronized void bindTo(MeterRegistry registry) {
        if (closed) {
            throw new MisuseException("These metrics are closed.");
        }
        if (bound.stream().anyMatch(each -> each.registry().equals(registry))) {
            return;
        }
        Tenants.enter(registry, tags, detail);
        try {
            bound.add(bind(registry));
        } catch (RuntimeException | Error e) {
            Tenants.leave(registry, tags, detail);
            throw e;
        }
        if (store != null && !started) {
            started = true;
            store.start();
        }
    }

    private Bound bind(MeterRegistry registry) {
        Bound made = new Bound(registry, new EventMeters(registry, tags, detail), new Gauges(registry, tags));
        if (store != null) {
            made.gauges().store(store);
            if (detail == MeterDetail.OUTBOX) {
                made.gauges().backlog(store, MeterDetail.Row.ALL);
                made.gauges().dead(store, MeterDetail.Row.ALL);
            }
            Snapshot known = store.current();
            if (known != null) {
                made.gauges().rows(store, known);
            }
        }
        if (relays.isUsed()) {
            made.gauges().relays(relays);
        }
        return made;
    }

    /**
     * Shows how a relay is doing, too. Of several relays it shows the longest time since a good round, and sums of the
     * rest. A closed relay is left out. If all are closed, the time since a good round is NaN and the rest is 0.
     *
     * @throws MisuseException if it is closed
     */
    public synchronized void watch(Relay relay) {
        if (closed) {
            throw new MisuseException("These metrics are closed.");
        }
        boolean first = !relays.isUsed();
        relays.add(Objects.requireNonNull(relay, "relay"));
        if (first) {
            bound.forEach(each -> each.gauges().relays(relays));
        }
    }

    /**
     * Takes the meters out of all registries and ends the thread. It waits up to 2 seconds for a store that does not
     * answer. What listeners are told afterwards is not counted. Closing again does nothing.
     */
    @Override
    public void close() {
        List<Bound> last;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            last = List.copyOf(bound);
            bound.clear();
        }
        if (store != null) {
            store.close();
        }
        for (Bound each : last) {
            each.gauges().remove();
            each.events().remove();
            Tenants.leave(each.registry(), tags, detail);
        }
    }

    private void tellGauges(Snapshot snapshot) {
        StoreWatch asked = Objects.requireNonNull(store);
        bound.forEach(each -> TELLING.run(() -> each.gauges().rows(asked, snapshot)));
    }

    private void countSnapshotFailure() {
        tell(EventMeters::snapshotFailed);
    }

    private void tell(Consumer<EventMeters> event) {
        for (Bound each : bound) {
            event.accept(each.events());
        }
    }

    @Override
    public void persisted(Persisted event) {
        tell(meters -> meters.persisted(event));
    }

    @Override
    public void checkedOut(CheckedOut event) {
        tell(meters -> meters.checkedOut(event));
    }

    @Override
    public void published(Published event) {
        tell(meters -> meters.published(event));
    }

    @Override
    public void failed(Failed event) {
        tell(meters -> meters.failed(event));
    }

    @Override
    public void deadLettered(DeadLettered event) {
        tell(meters -> meters.deadLettered(event));
    }

    @Override
    public void settled(Settled event) {
        tell(meters -> meters.settled(event));
    }

    @Override
    public void storeFailed(StoreFailed event) {
        tell(meters -> meters.storeFailed(event));
    }

    /** Collects what the metrics need. Used by one thread. */
    public static final class Builder {
        private @Nullable Operations operations;
        private Duration refresh = DEFAULT_REFRESH;
        private @Nullable Duration maxAge;
        private MeterDetail detail = MeterDetail.OUTBOX;
        private Tags tags = Tags.empty();

        private Builder() {}

        /**
         * The store whose backlog, failing partitions and dead letters are shown. It must stay open until the metrics
         * are closed. Without it there are only the meters of what this process writes and relays.
         *
         * @throws ConfigurationException if it does without {@link Capability#OPERATIONS}, with its reason
         */
        public Builder store(Store store) {
            this.operations = Operations.of(store);
            return this;
        }

        /**
         * The pause between two questions to the store, 15 seconds by default. Each asks for the backlog, the failing
         * partitions and the topics with dead letters.
         *
         * @throws ConfigurationException if it is below 100 milliseconds or above 1 day
         */
        public Builder refresh(Duration refresh) {
            this.refresh = checked("refresh", refresh);
            return this;
        }

        /**
         * How old an answer of the store may be; the gauges of an older one are NaN. By default 4 times
         * {@link #refresh}.
         *
         * @throws ConfigurationException if it is below 100 milliseconds or above 1 day; {@link #build} throws it if it
         *     is below 2 times {@link #refresh}
         */
        public Builder maxAge(Duration maxAge) {
            this.maxAge = checked("maxAge", maxAge);
            return this;
        }

        /** What is told apart by tags; by default {@link MeterDetail#OUTBOX}, nothing. */
        public Builder detail(MeterDetail detail) {
            this.detail = Objects.requireNonNull(detail, "detail");
            return this;
        }

        /**
         * A tag that every meter gets. If one registry has the meters of several outboxes, each outbox needs a value of
         * its own. All need the same keys and the same {@link #detail}.
         */
        public Builder tag(String key, String value) {
            this.tags = tags.and(key, value);
            return this;
        }

        /**
         * The metrics, which are in no registry yet.
         *
         * @throws ConfigurationException if {@link #maxAge} is below 2 times {@link #refresh}: the gauges would be NaN
         *     before each new answer
         */
        public OutboxMetrics build() {
            Duration least = refresh.multipliedBy(2);
            if (maxAge != null && maxAge.compareTo(least) < 0) {
                throw new ConfigurationException(
                        "OutboxMetrics: maxAge is " + maxAge + "; expected at least 2 times refresh, " + least + ".");
            }
            return new OutboxMetrics(this);
        }

        private static Duration checked(String name, Duration value) {
            if (value.compareTo(Duration.ofMillis(100)) < 0 || value.compareTo(Duration.ofDays(1)) > 0) {
                throw new ConfigurationException(
                        "OutboxMetrics: " + name + " is " + value + "; expected 100 milliseconds to 1 day.");
            }
            return value;
        }
    }
}
