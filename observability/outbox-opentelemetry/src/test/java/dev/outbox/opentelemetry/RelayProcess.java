package dev.outbox.opentelemetry;

import dev.outbox.Codecs;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.concurrent.CountDownLatch;

/**
 * A relay in a process of its own. Its arguments are the URL of the store, the file for its spans, that of the broker,
 * and the message that its broker never answers.
 */
public final class RelayProcess {
    private RelayProcess() {}

    /** Runs until it is killed. */
    public static void main(String[] arguments) throws Exception {
        Path broker = Path.of(arguments[2]);
        OpenTelemetrySdk sdk = OpenTelemetrySdk.builder()
                .setTracerProvider(SdkTracerProvider.builder()
                        .addSpanProcessor(SimpleSpanProcessor.create(new FileExporter(Path.of(arguments[1]))))
                        .build())
                .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
                .build();
        Topic<String> orders = Topic.builder("orders", Codecs.text())
                .publisher(delivery -> {
                    if (delivery.message().equals(arguments[3])) {
                        new CountDownLatch(1).await();
                    }
                    append(broker, delivery.message() + " " + delivery.headers().get("traceparent"));
                    return Receipt.taken();
                })
                .build();
        try (Store store = Stores.open(arguments[0]);
                Relay relay = Relay.builder(store)
                        .topic(orders)
                        .around(OutboxTelemetry.builder(sdk).build())
                        .build()) {
            relay.start();
            new CountDownLatch(1).await();
        }
    }

    private static void append(Path file, String line) {
        try {
            Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A line for each span: its name, its trace, and the trace and span of each link. */
    private record FileExporter(Path file) implements SpanExporter {
        @Override
        public CompletableResultCode export(Collection<SpanData> spans) {
            for (SpanData span : spans) {
                StringBuilder line =
                        new StringBuilder(span.getName()).append(' ').append(span.getTraceId());
                for (LinkData link : span.getLinks()) {
                    line.append(' ').append(link.getSpanContext().getTraceId());
                    line.append(' ').append(link.getSpanContext().getSpanId());
                }
                append(file, line.toString());
            }
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode flush() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }
    }
}
