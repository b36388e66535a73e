package dev.outbox.opentelemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.outbox.BrokerPublisher;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.Codecs;
import dev.outbox.Outbox;
import dev.outbox.OutboxListener;
import dev.outbox.OutgoingMessage;
import dev.outbox.PermanentFailureException;
import dev.outbox.PersistFunc;
import dev.outbox.Receipt;
import dev.outbox.StoreException;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import dev.outbox.store.memory.MemoryOutbox;
import dev.outbox.store.memory.MemoryTransaction;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.context.propagation.TextMapSetter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A trace that fails never refuses, fails or repeats a message, and leaves no span open. */
class BrokenTraceTest {
    private final InMemorySpanExporter spans = InMemorySpanExporter.create();
    private final MemoryOutbox outbox = new MemoryOutbox();

    private enum Step {
        START,
        END,
        CONTEXT,
        DESTINATION
    }

    @ParameterizedTest
    @EnumSource
    void aBrokenTraceChangesNothingForAMessage(Step step) throws Exception {
        SpanProcessor broken = new SpanProcessor() {
            @Override
            public void onStart(Context parent, ReadWriteSpan span) {
                throw new IllegalStateException("broken at start");
            }

            @Override
            public boolean isStartRequired() {
                return step == Step.START;
            }

            @Override
            public void onEnd(ReadableSpan span) {
                throw new IllegalStateException("broken at end");
            }

            @Override
            public boolean isEndRequired() {
                return step == Step.END;
            }
        };
        TextMapPropagator propagator = new TextMapPropagator() {
            @Override
            public Collection<String> fields() {
                return List.of();
            }

            @Override
            public <C> void inject(Context context, @Nullable C carrier, TextMapSetter<C> setter) {
                throw new IllegalStateException("broken propagator");
            }

            @Override
            public <C> Context extract(Context context, @Nullable C carrier, TextMapGetter<C> getter) {
                return context;
            }
        };
        try (OpenTelemetrySdk brokenSdk = OpenTelemetrySdk.builder()
                .setTracerProvider(SdkTracerProvider.builder()
                        .addSpanProcessor(SimpleSpanProcessor.create(spans))
                        .addSpanProcessor(broken)
                        .build())
                .setPropagators(ContextPropagators.create(
                        step == Step.CONTEXT ? propagator : W3CTraceContextPropagator.getInstance()))
                .build()) {
            OutboxTelemetry telemetry = OutboxTelemetry.builder(brokenSdk)
                    .destination(delivery -> {
                        if (step == Step.DESTINATION) {
                            throw new IllegalStateException("broken destination");
                        }
                        return delivery.topic();
                    })
                    .build();
            List<String> calls = new ArrayList<>();
            List<String> outcomes = new ArrayList<>();
            for (Topic<String> topic : threeOutcomes(calls)) {
                calls.clear();
                outcomes.clear();
                try (MemoryTransaction tx = outbox.begin();
                        Relay relay = Relay.builder(outbox.store())
                                .topic(topic)
                                .listener(recordingOutcomes(outcomes))
                                .around(telemetry)
                                .build()) {
                    PersistFunc persist = telemetry.persist(MemoryOutbox.persist(tx));
                    Outbox.bind(topic, persist).publish("good");
                    Outbox.bind(topic, persist).publishAll(List.of("dead", "away"));
                    tx.commit();
                    for (int round = 0; round < 3 && relay.state().leftOut().isEmpty(); round++) {
                        relay.processMessages(10);
                    }
                    assertEquals(List.of("good", "dead", "away"), calls);
                    assertEquals(List.of("published", "dead: PermanentFailureException"), outcomes);
                    assertEquals(1, relay.state().leftOut().size());
                }
            }
            StoreException refusal = new StoreException("The disk is full.");
            PersistFunc refusing = telemetry.persist(message -> {
                throw refusal;
            });
            OutgoingMessage message = new OutgoingMessage("orders", 0, null, Map.of(), new byte[0]);
            assertSame(refusal, assertThrows(StoreException.class, () -> refusing.persist(message)));
            assertSame(refusal, assertThrows(StoreException.class, () -> refusing.persistAll(List.of(message))));
            if (step != Step.START) {
                assertEquals(
                        3 + 3 + 2,
                        spans.getFinishedSpanItems().stream()
                                .filter(span -> span.getName().startsWith("create"))
                                .count());
            }
        }
        assertFalse(Span.current().getSpanContext().isValid());
    }

    private static List<Topic<String>> threeOutcomes(List<String> calls) {
        BrokerPublisher<String> publisher = delivery -> {
            calls.add(delivery.message());
            switch (delivery.message()) {
                case "dead" -> throw new PermanentFailureException("unreadable");
                case "away" -> throw new BrokerUnavailableException("away");
                default -> {
                    return Receipt.taken();
                }
            }
        };
        return List.of(
                Topic.builder("now", Codecs.text()).publisher(publisher).build(),
                Topic.builder("later", Codecs.text())
                        .asyncPublisher(delivery -> {
                            try {
                                return CompletableFuture.completedFuture(publisher.publish(delivery));
                            } catch (Exception e) {
                                return CompletableFuture.failedFuture(e);
                            }
                        })
                        .build());
    }

    private static OutboxListener recordingOutcomes(List<String> outcomes) {
        return new OutboxListener() {
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
    }
}
