package dev.outbox.opentelemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codecs;
import dev.outbox.Delivery;
import dev.outbox.Outbox;
import dev.outbox.OutboxHeaders;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.Receipt;
import dev.outbox.RetryPolicy;
import dev.outbox.StoreException;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.relay.Relay;
import dev.outbox.store.memory.MemoryOutbox;
import dev.outbox.store.memory.MemoryTransaction;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.baggage.propagation.W3CBaggagePropagator;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Spans of writing and sending, and what consumers see of them. */
@SuppressWarnings("try") // scopes are closed, and not looked at
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class OutboxTelemetryTest {
    private final InMemorySpanExporter spans = InMemorySpanExporter.create();
    private final InMemoryMetricReader metrics = InMemoryMetricReader.create();
    private final OpenTelemetrySdk sdk = OpenTelemetrySdk.builder()
            .setTracerProvider(SdkTracerProvider.builder()
                    .addSpanProcessor(SimpleSpanProcessor.create(spans))
                    .build())
            .setMeterProvider(
                    SdkMeterProvider.builder().registerMetricReader(metrics).build())
            .setPropagators(ContextPropagators.create(TextMapPropagator.composite(
                    W3CTraceContextPropagator.getInstance(), W3CBaggagePropagator.getInstance())))
            .build();
    private final MemoryOutbox outbox = new MemoryOutbox();
    private final List<Map<String, String>> seen = new ArrayList<>();
    private final List<String> insidePublisher = new ArrayList<>();

    @AfterEach
    void close() {
        sdk.close();
    }

    private OutboxTelemetry.Builder telemetry() {
        return OutboxTelemetry.builder(sdk).system("kafka").destination(delivery -> delivery.topic() + "-v1");
    }

    private Topic.Builder<String> orders() {
        return Topic.builder("orders", Codecs.text())
                .retry(RetryPolicy.defaults().withInitialDelay(Duration.ofMillis(1)))
                .publisher(this::publish);
    }

    private Receipt publish(Delivery<String> delivery) {
        seen.add(delivery.headers());
        insidePublisher.add(Span.current().getSpanContext().getSpanId() + " "
                + Baggage.current().getEntryValue("tenant"));
        if (delivery.message().equals("bad") && delivery.attempt() == 1) {
            throw new IllegalStateException("not now");
        }
        return Receipt.of("offset-7");
    }

    private void write(OutboxTelemetry telemetry, String... messages) throws Exception {
        try (MemoryTransaction tx = outbox.begin()) {
            Outbox.bind(orders().build(), telemetry.persist(MemoryOutbox.persist(tx)))
                    .publishAll(List.of(messages));
            tx.commit();
        }
    }

    private void relay(OutboxTelemetry telemetry, Topic<String> topic, int messages) throws Exception {
        try (Relay relay =
                Relay.builder(outbox.store()).topic(topic).around(telemetry).build()) {
            AtomicInteger published = new AtomicInteger();
            Await.until(
                    messages + " messages are published",
                    () -> published.addAndGet(relay.processMessages(10).published()) >= messages);
        }
    }

    private List<SpanData> spans(String name) {
        return spans.getFinishedSpanItems().stream()
                .filter(span -> span.getName().equals(name))
                .toList();
    }

    @Test
    void oneOrderIsFollowedFromTheRequestToTheBroker() throws Exception {
        OutboxTelemetry telemetry = telemetry().build();
        Span request = sdk.getTracer("test").spanBuilder("POST /orders").startSpan();
        try (Scope span = request.makeCurrent();
                Scope baggage = Baggage.builder().put("tenant", "acme").build().makeCurrent()) {
            write(telemetry, "good");
        }
        request.end();
        relay(telemetry, orders().build(), 1);

        SpanData create = spans("create orders").get(0);
        assertEquals(SpanKind.PRODUCER, create.getKind());
        assertEquals(request.getSpanContext().getSpanId(), create.getParentSpanId());
        assertEquals("create", create.getAttributes().get(Semantics.OPERATION_TYPE));

        SpanData send = spans("send orders-v1").get(0);
        assertEquals(SpanKind.CLIENT, send.getKind());
        assertNotEquals(create.getTraceId(), send.getTraceId());
        assertFalse(send.getParentSpanContext().isValid());
        assertEquals(1, send.getLinks().size());
        assertEquals(create.getSpanId(), send.getLinks().get(0).getSpanContext().getSpanId());
        assertEquals(
                create.getTraceId(), send.getLinks().get(0).getSpanContext().getTraceId());
        assertEquals(
                create.getAttributes().get(Semantics.MESSAGE_ID),
                send.getAttributes().get(Semantics.MESSAGE_ID));
        assertEquals("kafka", send.getAttributes().get(Semantics.SYSTEM));
        assertEquals("orders-v1", send.getAttributes().get(Semantics.DESTINATION));
        assertEquals("orders", send.getAttributes().get(Semantics.TOPIC));
        assertEquals(1L, send.getAttributes().get(Semantics.ATTEMPT));
        assertEquals("offset-7", send.getAttributes().get(Semantics.PUBLISH_ID));
        assertTrue(send.getAttributes().asMap().containsKey(Semantics.AGE));

        assertEquals(List.of(send.getSpanId() + " acme"), insidePublisher);
        String traceparent = seen.get(0).get(OutboxHeaders.TRACEPARENT);
        String expected = "00-" + create.getTraceId() + "-" + create.getSpanId() + "-"; // and flags
        assertTrue(String.valueOf(traceparent).startsWith(expected), traceparent);
        assertEquals("tenant=acme", seen.get(0).get(OutboxHeaders.BAGGAGE));
    }

    @Test
    void everyAttemptHasASpanAndConsumersSeeTheSameContext() throws Exception {
        OutboxTelemetry telemetry = telemetry().build();
        write(telemetry, "bad");
        relay(telemetry, orders().build(), 1);
        List<SpanData> sends = spans("send orders-v1");
        assertEquals(2, sends.size());
        assertEquals(StatusCode.ERROR, sends.get(0).getStatus().getStatusCode());
        assertEquals(
                "java.lang.IllegalStateException", sends.get(0).getAttributes().get(Semantics.ERROR));
        assertEquals(StatusCode.UNSET, sends.get(1).getStatus().getStatusCode());
        assertEquals(2L, sends.get(1).getAttributes().get(Semantics.ATTEMPT));
        assertEquals(seen.get(0), seen.get(1));
        assertNotEquals(sends.get(0).getTraceId(), sends.get(1).getTraceId());
    }

    @Test
    void sendingIsAChildByChoice() throws Exception {
        OutboxTelemetry telemetry =
                telemetry().relation(TraceRelation.CHILD).metrics(true).build();
        write(telemetry, "good");
        relay(telemetry, orders().build(), 1);
        SpanData create = spans("create orders").get(0);
        SpanData send = spans("send orders-v1").get(0);
        assertEquals(create.getSpanId(), send.getParentSpanId());
        assertEquals(create.getTraceId(), send.getTraceId());
        assertEquals(List.of(), send.getLinks());
    }

    @Test
    void anAsynchronousAnswerEndsTheSpan() throws Exception {
        OutboxTelemetry telemetry = telemetry().metrics(true).build();
        write(telemetry, "good");
        CompletableFuture<Receipt> answer = new CompletableFuture<>();
        List<SpanData> before = new ArrayList<>();
        Topic<String> topic = Topic.builder("orders", Codecs.text())
                .asyncPublisher(delivery -> {
                    before.addAll(spans("send orders-v1"));
                    Thread broker = new Thread(() -> answer.complete(Receipt.of("offset-7")));
                    broker.start();
                    return answer;
                })
                .build();
        relay(telemetry, topic, 1);
        assertEquals(List.of(), before);
        assertEquals("offset-7", spans("send orders-v1").get(0).getAttributes().get(Semantics.PUBLISH_ID));
        assertFalse(Span.current().getSpanContext().isValid());
    }

    @Test
    void theMetricsCountEveryAttempt() throws Exception {
        OutboxTelemetry telemetry = telemetry().metrics(true).build();
        write(telemetry, "bad");
        relay(telemetry, orders().build(), 1);
        assertEquals(
                2, metric(Semantics.SENT_MESSAGES).getLongSumData().getPoints().size()); // one has an error
        assertTrue(metric(Semantics.DURATION).getHistogramData().getPoints().stream()
                .allMatch(point -> point.getBoundaries().equals(Semantics.DURATION_BOUNDS)));
    }

    private MetricData metric(String name) {
        return metrics.collectAllMetrics().stream()
                .filter(each -> each.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aMessageKeepsTheTraceItComesWith() {
        Map<String, String> headers =
                Map.of(OutboxHeaders.TRACEPARENT, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        OutgoingMessage message = new OutgoingMessage("orders", 0, null, headers, new byte[0]);
        List<OutgoingMessage> written = new ArrayList<>();
        PersistFunc persist = telemetry().build().persist(recording(written));
        persist.persist(message);
        persist.persistAll(List.of(message));
        assertEquals(List.of(message, message), written);
        assertEquals(List.of(), spans.getFinishedSpanItems());
    }

    @Test
    void aTraceRefusesNoMessage() {
        Map<String, String> headers = Map.of("large", "x".repeat(OutgoingMessage.MAX_HEADERS_LENGTH - 5));
        OutgoingMessage message = new OutgoingMessage("orders", 0, null, headers, new byte[0]);
        List<OutgoingMessage> written = new ArrayList<>();
        telemetry().build().persist(recording(written)).persist(message);
        assertEquals(List.of(message), written);
    }

    @Test
    void aFailureToWriteEndsTheSpansAndGoesOn() {
        OutgoingMessage message = new OutgoingMessage("orders", 0, null, Map.of(), new byte[0]);
        PersistFunc persist = telemetry().build().persist(refused -> {
            throw new StoreException("The disk is full.");
        });
        assertThrows(StoreException.class, () -> persist.persist(message));
        assertThrows(StoreException.class, () -> persist.persistAll(List.of(message, message)));
        assertEquals(3, spans("create orders").size());
        assertTrue(spans("create orders").stream()
                .allMatch(span -> span.getStatus().getStatusCode() == StatusCode.ERROR));
        assertFalse(Span.current().getSpanContext().isValid());
    }

    @Test
    void baggageOfTheApplicationIsKept() {
        List<OutgoingMessage> written = new ArrayList<>();
        PersistFunc persist = telemetry().build().persist(recording(written));
        try (Scope baggage = Baggage.builder().put("tenant", "acme").build().makeCurrent()) {
            persist.persist(new OutgoingMessage("orders", 0, null, Map.of("Baggage", "tenant=own"), new byte[0]));
            persist.persist(new OutgoingMessage("orders", 0, null, Map.of("Traceparent", "none"), new byte[0]));
        }
        assertEquals(
                Set.of("Baggage", OutboxHeaders.TRACEPARENT),
                written.get(0).headers().keySet());
        assertEquals("tenant=own", written.get(0).headers().get("Baggage"));
        assertEquals(
                Set.of(OutboxHeaders.BAGGAGE, OutboxHeaders.TRACEPARENT),
                written.get(1).headers().keySet());
        assertTrue(String.valueOf(written.get(1).headers().get(OutboxHeaders.TRACEPARENT))
                .startsWith("00-"));
    }

    @Test
    void theGlobalOneIsLeftAlone() throws Exception {
        GlobalOpenTelemetry.resetForTest();
        OutboxTelemetry telemetry = telemetry().metrics(true).build();
        write(telemetry, "good");
        relay(telemetry, orders().build(), 1);
        GlobalOpenTelemetry.set(sdk); // throws if it was set or read before
        GlobalOpenTelemetry.resetForTest();
    }

    private static PersistFunc recording(List<OutgoingMessage> written) {
        return message -> {
            written.add(message);
            return message.id();
        };
    }
}
