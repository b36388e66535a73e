package dev.outbox.opentelemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Outbox;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Topic;
import dev.outbox.documents.Snippets;
import dev.outbox.relay.Relay;
import dev.outbox.store.jooq.JdbcOutbox;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.Test;

/** The code in {@code docs/TRACES.md} is code of this class, and does what the page says. */
class DocumentTest {
    private static final Path DOCUMENT = Path.of("..", "..", "docs", "TRACES.md");
    private static final Pattern ATTRIBUTE = Pattern.compile("`((?:messaging|outbox|error)\\.[a-z._]+)`");

    record Order(String customer) {}

    @Test
    void everySnippetIsCompiled() throws IOException {
        assertEquals(1, Snippets.compiledBy(getClass(), "TRACES.md"));
    }

    @Test
    void thePageHasEveryAttribute() throws Exception {
        InMemorySpanExporter spans = InMemorySpanExporter.create();
        OpenTelemetrySdk sdk = OpenTelemetrySdk.builder()
                .setTracerProvider(SdkTracerProvider.builder()
                        .addSpanProcessor(SimpleSpanProcessor.create(spans))
                        .build())
                .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
                .build();
        Topic<Order> orders = Topic.builder("orders", Order.class)
                .publisher(delivery -> Receipt.of("1"))
                .build();
        JdbcConnectionPool pool = JdbcConnectionPool.create("jdbc:h2:mem:traces;DB_CLOSE_DELAY=-1", "", "");
        JdbcOutbox.createSchema(pool);
        try (Connection connection = pool.getConnection();
                Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            connection.setAutoCommit(false);
            traced(sdk, connection, store, orders, new Order("C-1"));
        }
        pool.dispose();
        assertEquals(
                List.of("create orders", "send orders"),
                spans.getFinishedSpanItems().stream().map(SpanData::getName).toList());
        String page = Files.readString(DOCUMENT).split("\n## Log lines", 2)[0]; // keys of logs are others
        for (SpanData span : spans.getFinishedSpanItems()) {
            span.getAttributes()
                    .forEach((key, value) ->
                            assertTrue(page.contains("`" + key.getKey() + "`"), () -> key + " is not on the page"));
        }
        Matcher attribute = ATTRIBUTE.matcher(page);
        String names = Files.readString(Path.of("src/main/java/dev/outbox/opentelemetry/Semantics.java"));
        while (attribute.find()) {
            assertTrue(names.contains("\"" + attribute.group(1) + "\""), attribute.group(1) + " is only on the page");
        }
        sdk.close();
    }

    private static void traced(
            OpenTelemetry openTelemetry, Connection connection, Store store, Topic<Order> orders, Order order)
            throws Exception {
        OutboxTelemetry telemetry =
                OutboxTelemetry.builder(openTelemetry).system("kafka").build();

        // Where messages are written: around the PersistFunc.
        Outbox.bind(orders, telemetry.persist(JdbcOutbox.persist(connection))).publish(order);

        // Where they are relayed: around the publishers.
        Relay relay = Relay.builder(store).topic(orders).around(telemetry).build();
        connection.commit();
        relay.processMessages(1);
        relay.close();
    }
}
