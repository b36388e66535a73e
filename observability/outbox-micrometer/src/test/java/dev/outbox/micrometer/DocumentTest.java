package dev.outbox.micrometer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerPublisher;
import dev.outbox.Codecs;
import dev.outbox.Outbox;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.documents.Snippets;
import dev.outbox.relay.Relay;
import dev.outbox.store.memory.MemoryOutbox;
import dev.outbox.store.memory.MemoryTransaction;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.observation.DefaultMeterObservationHandler;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The code in {@code docs/METRICS.md} is code of this class, and its table has the meters that there are. */
class DocumentTest {
    private static final Path DOCUMENT = Path.of("..", "..", "docs", "METRICS.md");
    private static final Pattern ROW = Pattern.compile("^\\| `(outbox\\.[a-z.]+)` \\|", Pattern.MULTILINE);

    record Order(String customer) {}

    @Test
    void everySnippetIsCompiled() throws IOException {
        assertEquals(2, Snippets.compiledBy(getClass(), "METRICS.md"));
    }

    @Test
    void theTableHasEveryMeter() throws Exception {
        MemoryOutbox outbox = new MemoryOutbox();
        MeterRegistry registry = new SimpleMeterRegistry();
        Set<String> made = new TreeSet<>();
        try (Store store = outbox.store();
                OutboxMetrics metrics = OutboxMetrics.builder().store(store).build()) {
            Topic<String> topic = Topic.builder("orders", Codecs.text())
                    .listener(metrics)
                    .publisher(delivery -> Receipt.taken())
                    .build();
            metrics.bindTo(registry);
            try (MemoryTransaction tx = outbox.begin();
                    Relay relay = Relay.builder(store).topic(topic).build()) {
                Outbox.bind(topic, MemoryOutbox.persist(tx)).publish("a");
                tx.commit();
                metrics.watch(relay);
                relay.processMessages(1);
            }
            registry.getMeters().stream()
                    .map(Meter::getId)
                    .map(Meter.Id::getName)
                    .forEach(made::add);
        }
        Matcher row = ROW.matcher(Files.readString(DOCUMENT));
        Set<String> written = new TreeSet<>();
        while (row.find()) {
            written.add(row.group(1));
        }
        assertEquals(made, written);
    }

    @Test
    void theSnippetsDoWhatTheySay() throws Exception {
        MemoryOutbox outbox = new MemoryOutbox();
        Store store = outbox.store();
        MeterRegistry registry = new SimpleMeterRegistry();
        BrokerPublisher<Order> publisher = delivery -> Receipt.taken();
        OutboxMetrics metrics = OutboxMetrics.builder()
                .store(store) // what waits, what fails, what was given up
                .detail(MeterDetail.TOPIC) // a tag for the topic; without this there is one number for the outbox
                .build();
        Topic<Order> orders = Topic.builder("orders", Order.class)
                .publisher(publisher)
                .listener(metrics) // what is written, and what becomes of it
                .build();
        Relay relay = Relay.builder(store).topic(orders).build();
        metrics.watch(relay); // how the relay is doing
        metrics.bindTo(registry);
        write(outbox, orders);
        relay.processMessages(1);
        assertEquals(
                1, registry.get("outbox.persist").tag("topic", "orders").timer().count());
        assertEquals(
                1,
                registry.get("outbox.publish")
                        .tag("outcome", "published")
                        .timer()
                        .count());
        assertTrue(registry.get("outbox.relay.last.round").timeGauge().value(TimeUnit.SECONDS) >= 0);
        metrics.close();
        relay.close();
        assertEquals(List.of(), registry.getMeters());
        observe(outbox, store, orders);
    }

    private static void observe(MemoryOutbox outbox, Store store, Topic<Order> orders) throws Exception {
        MeterRegistry registry = new SimpleMeterRegistry();
        ObservationRegistry observations = ObservationRegistry.create();
        observations.observationConfig().observationHandler(new DefaultMeterObservationHandler(registry));
        Relay relay = Relay.builder(store)
                .topic(orders)
                .around(new OutboxObservations(observations, new OutboxPublishConvention("kafka")))
                .build();
        write(outbox, orders);
        relay.processMessages(1);
        relay.close();
        assertEquals(
                1,
                registry.get("outbox.send")
                        .tag("messaging.system", "kafka")
                        .timer()
                        .count());
    }

    private static void write(MemoryOutbox outbox, Topic<Order> orders) throws Exception {
        try (MemoryTransaction tx = outbox.begin()) {
            Outbox.bind(orders, MemoryOutbox.persist(tx)).publish(new Order("C-1"));
            tx.commit();
        }
    }
}
