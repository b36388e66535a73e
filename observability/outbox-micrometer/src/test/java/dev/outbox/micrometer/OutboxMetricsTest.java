package dev.outbox.micrometer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.Codecs;
import dev.outbox.ConfigurationException;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.Outbox;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.RetryPolicy;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.relay.Relay;
import dev.outbox.store.jooq.JdbcOutbox;
import dev.outbox.store.memory.MemoryOutbox;
import dev.outbox.store.memory.MemoryTransaction;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.ref.WeakReference;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What Prometheus sees of an outbox, whatever the store does. */
class OutboxMetricsTest {
    private static final Duration SOON = Duration.ofMillis(100);

    private final Scraped scraped = new Scraped();
    private final MemoryOutbox outbox = new MemoryOutbox();
    private final FaultyStore faulty = new FaultyStore(outbox.store());

    @AfterEach
    void end() {
        faulty.answer();
    }

    private OutboxMetrics.Builder soon() {
        return OutboxMetrics.builder().store(faulty.store()).refresh(SOON).detail(MeterDetail.TOPIC);
    }

    private static Topic.Builder<String> topic(String name) {
        return Topic.builder(name, Codecs.text())
                .key(text -> text.substring(0, 1))
                .partitions(8);
    }

    private void write(Topic<String> topic, String... messages) throws Exception {
        try (MemoryTransaction tx = outbox.begin()) {
            Outbox.bind(topic, MemoryOutbox.persist(tx)).publishAll(List.of(messages));
            tx.commit();
        }
    }

    @Test
    void aMessageIsSeenFromTheTransactionToTheBroker() throws Exception {
        try (OutboxMetrics metrics = soon().build()) {
            metrics.bindTo(scraped.registry);
            Topic<String> orders = topic("orders")
                    .listener(metrics)
                    .publisher(delivery -> Receipt.taken())
                    .build();
            write(orders, "a1", "b1");
            scraped.await("outbox_backlog_messages{topic=\"orders\"}", 2);
            scraped.await("outbox_backlog_age_seconds{topic=\"orders\"}", age -> age > 0);
            assertEquals(2, scraped.value("outbox_persist_seconds_count{topic=\"orders\"}"));
            try (Relay relay = Relay.builder(faulty.store())
                    .topic(orders)
                    .listener(metrics)
                    .build()) {
                assertEquals(2, relay.processMessages(10).published());
            }
            scraped.await("outbox_backlog_messages{topic=\"orders\"}", 0);
            scraped.await("outbox_backlog_age_seconds{topic=\"orders\"}", 0);
            String published = "{error=\"none\",outcome=\"published\",topic=\"orders\"}";
            assertEquals(2, scraped.value("outbox_publish_seconds_count" + published));
            assertEquals(2, scraped.value("outbox_delay_seconds_count{topic=\"orders\"}"));
            assertEquals(1, scraped.value("outbox_checkout_seconds_count"));
            assertEquals(2, scraped.value("outbox_checkout_messages_sum"));
            assertEquals(1, scraped.value("outbox_settle_seconds_count"));
            assertEquals(0, scraped.value("outbox_store_failures_total{step=\"close\"}"));
        }
    }

    @Test
    void whatFailsAndWhatWasGivenUpIsSeenOnADatabase() throws Exception {
        JdbcConnectionPool pool = JdbcConnectionPool.create("jdbc:h2:mem:seeing;DB_CLOSE_DELAY=-1", "", "");
        JdbcOutbox.createSchema(pool);
        Topic<String> orders = topic("orders")
                .retry(RetryPolicy.defaults().withInitialDelay(Duration.ofHours(1)))
                .publisher(delivery -> {
                    if (delivery.message().startsWith("a")) {
                        throw new PermanentFailureException("unreadable");
                    }
                    throw new IllegalStateException("not now");
                })
                .build();
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            Outbox.bind(orders, JdbcOutbox.persist(connection)).publishAll(List.of("a1", "b1", "b2"));
            connection.commit();
        }
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults());
                OutboxMetrics metrics = OutboxMetrics.builder()
                        .store(store)
                        .refresh(SOON)
                        .detail(MeterDetail.TOPIC)
                        .build();
                Relay relay =
                        Relay.builder(store).topic(orders).listener(metrics).build()) {
            metrics.bindTo(scraped.registry);
            relay.processMessages(10);
            scraped.await("outbox_dead_letters{topic=\"orders\"}", 1);
            scraped.await("outbox_partitions_failing{topic=\"orders\"}", 1);
            scraped.await("outbox_backlog_messages{topic=\"orders\"}", 2);
            assertEquals(
                    1,
                    scraped.value("outbox_publish_seconds_count"
                            + "{error=\"PermanentFailureException\",outcome=\"dead\",topic=\"orders\"}"));
            assertEquals(
                    1,
                    scraped.value("outbox_publish_seconds_count"
                            + "{error=\"IllegalStateException\",outcome=\"failed\",topic=\"orders\"}"));
        }
        pool.dispose();
    }

    @Test
    void withoutAnAnswerOfTheStoreThereIsNoNumber() throws Exception {
        try (OutboxMetrics metrics = soon().maxAge(Duration.ofHours(1)).build()) {
            metrics.bindTo(scraped.registry);
            write(topic("orders").build(), "a1");
            String backlog = "outbox_backlog_messages{topic=\"orders\"}";
            scraped.await(backlog, 1);
            faulty.fail(true);
            scraped.await(backlog, Double::isNaN);
            scraped.await("outbox_backlog_age_seconds{topic=\"orders\"}", Double::isNaN);
            scraped.await("outbox_store_failures_total{step=\"snapshot\"}", failures -> failures >= 2);
            double age = scraped.value("outbox_snapshot_age_seconds");
            scraped.await("outbox_snapshot_age_seconds", later -> later > age);
            faulty.fail(false);
            scraped.await(backlog, 1);
        }
    }

    @Test
    void aStoreThatHangsHoldsUpNoScrape() throws Exception {
        try (OutboxMetrics metrics = soon().maxAge(SOON.multipliedBy(10)).build()) {
            metrics.bindTo(scraped.registry);
            write(topic("orders").build(), "a1");
            String backlog = "outbox_backlog_messages{topic=\"orders\"}";
            scraped.await(backlog, 1);
            faulty.hang();
            scraped.await(backlog, Double::isNaN);
            faulty.answer();
            scraped.await(backlog, 1);
        }
        assertEquals(
                Set.of("outbox-metrics"),
                faulty.threads().stream().map(Thread::getName).collect(Collectors.toSet()));
    }

    @Test
    void theGaugesKeepWhatTheyShow() throws Exception {
        bindAndForget(scraped.registry);
        WeakReference<Object> garbage = new WeakReference<>(new Object());
        Await.until("a collection", () -> {
            System.gc();
            return garbage.refersTo(null);
        });
        write(topic("orders").build(), "a1");
        scraped.await("outbox_backlog_messages", 1);
    }

    /** Leaves nothing on the stack. */
    private void bindAndForget(MeterRegistry registry) {
        OutboxMetrics.builder().store(faulty.store()).refresh(SOON).build().bindTo(registry);
    }

    @Test
    void closingTakesTheMetersAwayAndEndsTheThread() throws Exception {
        OutboxMetrics metrics = soon().build();
        MeterRegistry registry = new SimpleMeterRegistry();
        metrics.bindTo(scraped.registry);
        metrics.bindTo(registry);
        Topic<String> orders = topic("orders").listener(metrics).build();
        write(orders, "a1");
        scraped.await("outbox_backlog_messages{topic=\"orders\"}", 1);
        Thread thread = faulty.threads().get(0);
        metrics.close();
        write(orders, "a2");
        assertEquals(List.of(), registry.getMeters().stream().map(Meter::getId).toList());
        assertEquals("", scraped.registry.scrape());
        Await.until("the end of " + thread, () -> !thread.isAlive());
        assertEquals(Set.of(thread), Set.copyOf(faulty.threads()), "threads that have asked");
        assertThrows(MisuseException.class, () -> metrics.bindTo(registry));
        metrics.close();
    }

    @Test
    void aStoreThatHangsDoesNotKeepFromClosing() throws Exception {
        OutboxMetrics metrics = soon().build();
        faulty.hang();
        metrics.bindTo(scraped.registry);
        Await.until("a question", () -> !faulty.threads().isEmpty());
        metrics.close();
        assertEquals("", scraped.registry.scrape());
        faulty.answer();
    }

    @Test
    void topicsAndPartitionsAreTagsOnlyIfAskedFor() throws Exception {
        write(topic("orders").build(), "a1", "a2", "b1");
        write(topic("bills").build(), "a1");
        try (OutboxMetrics metrics =
                OutboxMetrics.builder().store(faulty.store()).refresh(SOON).build()) {
            metrics.bindTo(scraped.registry);
            scraped.await("outbox_backlog_messages", 4);
            assertEquals(0, scraped.value("outbox_dead_letters"));
        }
        Scraped detailed = new Scraped();
        try (OutboxMetrics metrics =
                soon().detail(MeterDetail.PARTITION).tag("outbox", "shop").build()) {
            metrics.bindTo(detailed.registry);
            int partition = Operations.of(outbox.store()).backlog().stream()
                    .filter(each -> each.pending() == 2)
                    .findFirst()
                    .orElseThrow()
                    .partition();
            detailed.await(
                    "outbox_backlog_messages{outbox=\"shop\",partition=\"" + partition + "\",topic=\"orders\"}", 2);
        }
    }

    @Test
    void twoOutboxesNeedATagToShareARegistry() {
        try (OutboxMetrics one = OutboxMetrics.builder().tag("outbox", "a").build();
                OutboxMetrics other = OutboxMetrics.builder().tag("outbox", "b").build();
                OutboxMetrics same = OutboxMetrics.builder().tag("outbox", "a").build()) {
            one.bindTo(scraped.registry);
            one.bindTo(scraped.registry);
            other.bindTo(scraped.registry);
            assertThrows(MisuseException.class, () -> same.bindTo(scraped.registry));
        }
        assertEquals("", scraped.registry.scrape());
    }

    @Test
    void outboxesThatShareARegistryHaveTheSameKeysAndDetail() {
        List<Supplier<OutboxMetrics.Builder>> kinds = List.of(
                OutboxMetrics::builder,
                () -> OutboxMetrics.builder().tag("outbox", "a"),
                () -> OutboxMetrics.builder().tag("team", "b"),
                () -> OutboxMetrics.builder().tag("outbox", "c").tag("team", "c"),
                () -> OutboxMetrics.builder().tag("outbox", "d").detail(MeterDetail.TOPIC),
                () -> OutboxMetrics.builder().tag("outbox", "e").detail(MeterDetail.PARTITION));
        for (Supplier<OutboxMetrics.Builder> first : kinds) {
            for (Supplier<OutboxMetrics.Builder> second : kinds) {
                try (OutboxMetrics one = first.get().build();
                        OutboxMetrics other = second.get().build()) {
                    one.bindTo(scraped.registry);
                    String shown = scraped.registry.scrape();
                    assertThrows(MisuseException.class, () -> other.bindTo(scraped.registry));
                    assertEquals(shown, scraped.registry.scrape());
                }
            }
        }
        assertEquals("", scraped.registry.scrape());
    }

    @Test
    void anOutboxIsSeenInARegistryThatIsPartOfAnother() {
        for (OutboxMetrics.Builder second : List.of(
                OutboxMetrics.builder(),
                OutboxMetrics.builder().tag("outbox", "a"),
                OutboxMetrics.builder().tag("team", "b"))) {
            Scraped part = new Scraped();
            CompositeMeterRegistry whole = new CompositeMeterRegistry().add(part.registry);
            try (OutboxMetrics one = OutboxMetrics.builder().tag("outbox", "a").build();
                    OutboxMetrics other = second.build()) {
                one.bindTo(whole);
                assertThrows(MisuseException.class, () -> other.bindTo(part.registry));
            }
            try (OutboxMetrics one = OutboxMetrics.builder().tag("outbox", "a").build();
                    OutboxMetrics other = second.build()) {
                one.bindTo(part.registry);
                assertThrows(MisuseException.class, () -> other.bindTo(whole));
            }
        }
    }

    @Test
    void aRegistryThatRefusesAGaugeIsNoFailureOfTheStoreAndIsAskedAgain() throws Exception {
        AtomicBoolean refuses = new AtomicBoolean(true);
        AtomicInteger refused = new AtomicInteger();
        MeterRegistry refusing = new SimpleMeterRegistry();
        refusing.config().meterFilter(new MeterFilter() {
            @Override
            public Meter.Id map(Meter.Id id) {
                if (id.getName().equals("outbox.backlog.messages") && refuses.get()) {
                    refused.incrementAndGet();
                    throw new IllegalStateException("no more series");
                }
                return id;
            }
        });
        try (OutboxMetrics metrics = soon().maxAge(Duration.ofHours(1)).build()) {
            metrics.bindTo(refusing);
            metrics.bindTo(scraped.registry);
            write(topic("orders").build(), "a1");
            scraped.await("outbox_backlog_messages{topic=\"orders\"}", 1); // the other registry has them
            Await.until("a second refusal", () -> refused.get() >= 2);
            assertEquals(0, scraped.value("outbox_store_failures_total{step=\"snapshot\"}"));
            assertEquals(1, scraped.value("outbox_backlog_messages{topic=\"orders\"}"));
            refuses.set(false);
            Await.until(
                    "the gauge that was refused",
                    () -> refusing.find("outbox.backlog.messages").tag("topic", "orders").gauges().stream()
                            .anyMatch(gauge -> gauge.value() == 1));
        }
    }

    @Test
    void aRelayIsSeenFromBeforeItsFirstRound() throws Exception {
        Topic<String> orders =
                topic("orders").publisher(delivery -> Receipt.taken()).build();
        try (OutboxMetrics metrics = OutboxMetrics.builder().build();
                Relay relay = Relay.builder(outbox.store()).topic(orders).build()) {
            metrics.bindTo(scraped.registry);
            assertFalse(scraped.has("outbox_relay_last_round_seconds"));
            metrics.watch(relay);
            scraped.await("outbox_relay_last_round_seconds", age -> age > 0.05);
            relay.processMessages(1);
            assertTrue(scraped.value("outbox_relay_last_round_seconds") >= 0);
            for (String name : List.of("topics_left_out", "partitions_set_aside", "unsettled")) {
                assertEquals(0, scraped.value("outbox_relay_" + name), name);
            }
        }
    }

    @Test
    void aClosedRelayIsLeftOut() throws Exception {
        Topic<String> orders = topic("orders")
                .publisher(delivery -> {
                    throw new BrokerUnavailableException("away");
                })
                .build();
        write(orders, "a1");
        String age = "outbox_relay_last_round_seconds";
        try (OutboxMetrics metrics = OutboxMetrics.builder().build()) {
            metrics.bindTo(scraped.registry);
            Relay first = Relay.builder(outbox.store()).topic(orders).build();
            metrics.watch(first);
            first.processMessages(10);
            assertEquals(1, scraped.value("outbox_relay_topics_left_out"));
            first.close(); // before it was ever started
            assertTrue(scraped.has(age));
            assertEquals(Double.NaN, scraped.value(age));
            assertEquals(0, scraped.value("outbox_relay_topics_left_out"));

            try (Relay second = Relay.builder(outbox.store()).topic(orders).build()) {
                metrics.watch(second); // has no good round: its worker never lived
                double before = scraped.value(age);
                scraped.await(age, now -> now > before);
            }
            assertEquals(Double.NaN, scraped.value(age));
        }
    }

    @Test
    void aBrokerThatIsAwayIsSeen() throws Exception {
        Topic<String> orders = topic("orders")
                .publisher(delivery -> {
                    throw new BrokerUnavailableException("away");
                })
                .build();
        write(orders, "a1");
        try (OutboxMetrics metrics = OutboxMetrics.builder().build();
                Relay relay = Relay.builder(outbox.store()).topic(orders).build()) {
            metrics.watch(relay);
            metrics.bindTo(scraped.registry);
            relay.processMessages(10);
            assertEquals(1, scraped.value("outbox_relay_topics_left_out"));
        }
    }

    @Test
    void valuesThatMakeNoSenseAreRefused() {
        OutboxMetrics.Builder builder = OutboxMetrics.builder();
        for (Duration wrong : List.of(Duration.ZERO, Duration.ofDays(2))) {
            assertThrows(ConfigurationException.class, () -> builder.refresh(wrong));
            assertThrows(ConfigurationException.class, () -> builder.maxAge(wrong));
        }
        builder.refresh(Duration.ofSeconds(2)).maxAge(Duration.ofMillis(3999));
        assertThrows(ConfigurationException.class, builder::build);
        builder.maxAge(Duration.ofSeconds(4)).build().close();
    }
}
