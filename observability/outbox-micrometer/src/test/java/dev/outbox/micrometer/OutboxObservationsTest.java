package dev.outbox.micrometer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.outbox.Codecs;
import dev.outbox.Outbox;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import dev.outbox.store.memory.MemoryOutbox;
import dev.outbox.store.memory.MemoryTransaction;
import io.micrometer.common.KeyValues;
import io.micrometer.core.instrument.observation.DefaultMeterObservationHandler;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Calls of publishers as observations. */
class OutboxObservationsTest {
    private final ObservationRegistry registry = ObservationRegistry.create();
    private final List<Observation.Context> stopped = new ArrayList<>();
    private final MemoryOutbox outbox = new MemoryOutbox();

    @BeforeEach
    void collect() {
        registry.observationConfig().observationHandler(new ObservationHandler<OutboxPublishContext>() {
            @Override
            public void onStop(OutboxPublishContext context) {
                stopped.add(context);
            }

            @Override
            public boolean supportsContext(Observation.Context context) {
                return context instanceof OutboxPublishContext;
            }
        });
    }

    private void relay(Topic<String> topic, OutboxObservations observations, Scraped scraped) throws Exception {
        try (MemoryTransaction tx = outbox.begin()) {
            Outbox.bind(topic, MemoryOutbox.persist(tx)).publish("a");
            tx.commit();
        }
        try (OutboxMetrics metrics =
                        OutboxMetrics.builder().detail(MeterDetail.TOPIC).build();
                Relay relay = Relay.builder(outbox.store())
                        .topic(topic)
                        .listener(metrics)
                        .around(observations)
                        .build()) {
            metrics.bindTo(scraped.registry);
            relay.processMessages(1);
            assertEquals(1, scraped.value("outbox_checkout_seconds_count"));
        }
    }

    @Test
    void thePublisherRunsInsideAndTheRegistryHasBothTimers() throws Exception {
        Scraped scraped = new Scraped();
        registry.observationConfig().observationHandler(new DefaultMeterObservationHandler(scraped.registry));
        List<@Nullable Observation> current = new ArrayList<>();
        relay(
                Topic.builder("orders", Codecs.text())
                        .publisher(delivery -> {
                            current.add(registry.getCurrentObservation());
                            return Receipt.taken();
                        })
                        .build(),
                new OutboxObservations(registry),
                scraped);
        assertEquals(1, stopped.size());
        Observation inside = current.get(0);
        assertSame(stopped.get(0), inside == null ? null : inside.getContext());
        assertNull(registry.getCurrentObservation());
        Observation.Context context = stopped.get(0);
        assertEquals("outbox.send", context.getName());
        assertEquals("send orders", context.getContextualName());
        assertEquals(
                1,
                scraped.value("outbox_send_seconds_count{error=\"none\",messaging_operation_name=\"send\","
                        + "messaging_system=\"unknown\",outbox_topic=\"orders\"}"));
    }

    @Test
    void anAsynchronousFailureEndsItWithTheCause() throws Exception {
        CompletableFuture<Receipt> failed = new CompletableFuture<>();
        IllegalStateException cause = new IllegalStateException("not now");
        failed.completeExceptionally(cause);
        relay(
                Topic.builder("orders", Codecs.text())
                        .asyncPublisher(delivery -> failed.thenApply(receipt -> receipt))
                        .build(),
                new OutboxObservations(registry),
                new Scraped());
        assertEquals(1, stopped.size());
        assertSame(cause, stopped.get(0).getError());
    }

    @Test
    void aSynchronousFailureEndsIt() throws Exception {
        IllegalStateException cause = new IllegalStateException("not now");
        relay(
                Topic.builder("orders", Codecs.text())
                        .publisher(delivery -> {
                            throw cause;
                        })
                        .build(),
                new OutboxObservations(registry),
                new Scraped());
        assertEquals(1, stopped.size());
        assertSame(cause, stopped.get(0).getError());
    }

    @Test
    void theConventionCanBeReplaced() throws Exception {
        Topic<String> orders = Topic.builder("orders", Codecs.text())
                .publisher(delivery -> Receipt.taken())
                .build();
        OutboxPublishConvention own = new OutboxPublishConvention("kafka") {
            @Override
            public KeyValues getLowCardinalityKeyValues(OutboxPublishContext context) {
                return super.getLowCardinalityKeyValues(context).and("team", "shop");
            }
        };
        relay(orders, new OutboxObservations(registry, own), new Scraped());
        registry.observationConfig().observationConvention(own);
        relay(orders, new OutboxObservations(registry), new Scraped());
        assertEquals(2, stopped.size());
        for (Observation.Context context : stopped) {
            assertEquals("shop", context.getLowCardinalityKeyValue("team").getValue());
            assertEquals(
                    "kafka",
                    context.getLowCardinalityKeyValue("messaging.system").getValue());
        }
    }
}
