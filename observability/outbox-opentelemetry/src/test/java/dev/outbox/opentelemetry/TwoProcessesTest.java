package dev.outbox.opentelemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.outbox.Codecs;
import dev.outbox.Outbox;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.processes.ChildJvm;
import dev.outbox.store.jooq.JdbcOutbox;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An order that is written by one process is followed through another, and through the one that follows its kill. */
@SuppressWarnings("try") // a scope is closed, and not looked at
class TwoProcessesTest {
    @TempDir
    Path folder = Path.of("");

    @Test
    void theTraceOfAnOrderOutlivesAKilledRelay() throws Exception {
        InMemorySpanExporter exporter = InMemorySpanExporter.create();
        OpenTelemetrySdk sdk = OpenTelemetrySdk.builder()
                .setTracerProvider(SdkTracerProvider.builder()
                        .addSpanProcessor(SimpleSpanProcessor.create(exporter))
                        .build())
                .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
                .build();
        String url = "jdbc:h2:" + folder.resolve("shop") + ";AUTO_SERVER=TRUE";
        JdbcConnectionPool pool = JdbcConnectionPool.create(url, "", "");
        JdbcOutbox.createSchema(pool);
        Span request = sdk.getTracer("test").spanBuilder("POST /orders").startSpan();
        try (Connection connection = pool.getConnection();
                Scope scope = request.makeCurrent()) {
            connection.setAutoCommit(false);
            Topic<String> orders = Topic.builder("orders", Codecs.text()).build();
            OutboxTelemetry telemetry = OutboxTelemetry.builder(sdk).build();
            Outbox.bind(orders, telemetry.persist(JdbcOutbox.persist(connection)))
                    .publishAll(List.of("first", "second"));
            connection.commit();
        }
        request.end();

        Path spans = folder.resolve("spans");
        Path broker = folder.resolve("broker");
        Process killed = relay(url, spans, broker, "second");
        Await.until("a span of the first message", () -> lines(spans).size() == 1);
        killed.destroyForcibly().onExit().get(120, TimeUnit.SECONDS);
        Process next = relay(url, spans, broker, "none");
        Await.until("spans of both messages", () -> lines(spans).size() == 3);
        next.destroyForcibly().onExit().get(120, TimeUnit.SECONDS);

        List<SpanData> created = exporter.getFinishedSpanItems().stream()
                .filter(span -> span.getName().equals("create orders"))
                .toList();
        String trace = request.getSpanContext().getTraceId();
        String first = created.get(0).getSpanId();
        String second = created.get(1).getSpanId();
        assertEquals(
                List.of(trace, trace),
                created.stream().map(SpanData::getTraceId).toList());

        // Sent before the kill and after it, because the kill came before the batch was closed.
        List<String[]> sent = lines(spans).stream().map(line -> line.split(" ")).toList();
        for (String[] line : sent) {
            assertEquals("send orders", line[0] + " " + line[1]);
            assertNotEquals(trace, line[2]);
            assertEquals(trace, line[3]);
        }
        assertEquals(
                List.of(first, first, second),
                sent.stream().map(line -> line[4]).toList());
        assertNotEquals(sent.get(0)[2], sent.get(1)[2]);
        // Consumers see one context of each order, whichever process sent it.
        assertEquals(
                List.of(
                        "first 00-" + trace + "-" + first,
                        "first 00-" + trace + "-" + first,
                        "second 00-" + trace + "-" + second),
                lines(broker).stream()
                        .map(line -> line.replaceFirst("-..$", ""))
                        .toList()); // without the flags
        pool.dispose();
        sdk.close();
    }

    private static Process relay(String url, Path spans, Path broker, String unanswered) throws IOException {
        return ChildJvm.of(
                        RelayProcess.class,
                        128,
                        List.of(),
                        List.of(url, spans.toString(), broker.toString(), unanswered))
                .start();
    }

    private static List<String> lines(Path file) throws IOException {
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }
}
