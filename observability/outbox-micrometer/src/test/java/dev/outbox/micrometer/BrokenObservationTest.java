package dev.outbox.micrometer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.outbox.BrokerPublisher;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.Codecs;
import dev.outbox.Outbox;
import dev.outbox.OutboxListener;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import dev.outbox.store.memory.MemoryOutbox;
import dev.outbox.store.memory.MemoryTransaction;
import io.micrometer.common.KeyValues;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An observation that fails never refuses, fails or repeats a message. */
class BrokenObservationTest {
    private final ObservationRegistry registry = ObservationRegistry.create();
    private final MemoryOutbox outbox = new MemoryOutbox();

    private enum Step {
        CONVENTION,
        START,
        SCOPE_OPENED,
        SCOPE_CLOSED,
        ERROR,
        STOP
    }

    /** Throws at one step, and does nothing at others. */
    private record Broken(Step step) implements ObservationHandler<OutboxPublishContext> {
        private void at(Step now) {
            if (now == step) {
                throw new IllegalStateException("broken at " + now);
            }
        }

        OutboxPublishConvention convention() {
            return new OutboxPublishConvention() {
                @Override
                public KeyValues getLowCardinalityKeyValues(OutboxPublishContext context) {
                    at(Step.CONVENTION);
                    return super.getLowCardinalityKeyValues(context);
                }
            };
        }

        @Override
        public void onStart(OutboxPublishContext context) {
            at(Step.START);
        }

        @Override
        public void onScopeOpened(OutboxPublishContext context) {
            at(Step.SCOPE_OPENED);
        }

        @Override
        public void onScopeClosed(OutboxPublishContext context) {
            at(Step.SCOPE_CLOSED);
        }

        @Override
        public void onError(OutboxPublishContext context) {
            at(Step.ERROR);
        }

        @Override
        public void onStop(OutboxPublishContext context) {
            at(Step.STOP);
        }

        @Override
        public boolean supportsContext(Observation.Context context) {
            return context instanceof OutboxPublishContext;
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBrokenObservationChangesNothingForAMessage(Step step) throws Exception {
        Broken broken = new Broken(step);
        registry.observationConfig().observationHandler(broken);
        OutboxObservations observations = new OutboxObservations(registry, broken.convention());
        List<String> calls = new ArrayList<>();
        List<String> outcomes = new ArrayList<>();
        BrokerPublisher<String> publisher = delivery -> {
            calls.add(delivery.topic() + " " + delivery.message());
            switch (delivery.message()) {
                case "dead" -> throw new PermanentFailureException("unreadable");
                case "away" -> throw new BrokerUnavailableException("away");
                default -> {
                    return Receipt.taken();
                }
            }
        };
        Topic.Builder<String> now = Topic.builder("now", Codecs.text()).publisher(publisher);
        Topic.Builder<String> later = Topic.builder("later", Codecs.text()).asyncPublisher(delivery -> {
            try {
                return CompletableFuture.completedFuture(publisher.publish(delivery));
            } catch (Exception e) {
                return CompletableFuture.failedFuture(e);
            }
        });
        OutboxListener listener = new OutboxListener() {
            @Override
            public void published(Published event) {
                outcomes.add("published");
            }

            @Override
            public void failed(Failed event) {
                outcomes.add("failed: " + event.cause());
            }

            @Override
            public void deadLettered(DeadLettered event) {
                outcomes.add("dead: " + event.cause().getClass().getSimpleName());
            }
        };
        for (Topic<String> topic : List.of(now.build(), later.build())) {
            calls.clear();
            outcomes.clear();
            try (MemoryTransaction tx = outbox.begin();
                    Relay relay = Relay.builder(outbox.store())
                            .topic(topic)
                            .listener(listener)
                            .around(observations)
                            .build()) {
                Outbox.bind(topic, MemoryOutbox.persist(tx)).publishAll(List.of("good", "dead", "away"));
                tx.commit();
                for (int round = 0; round < 3 && relay.state().leftOut().isEmpty(); round++) {
                    relay.processMessages(10);
                }
                String name = topic.name() + " ";
                assertEquals(List.of(name + "good", name + "dead", name + "away"), calls);
                assertEquals(List.of("published", "dead: PermanentFailureException"), outcomes);
                assertEquals(1, relay.state().leftOut().size());
            }
        }
        assertNull(registry.getCurrentObservationScope());
    }
}
