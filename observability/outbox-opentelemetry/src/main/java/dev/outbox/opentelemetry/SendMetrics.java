package dev.outbox.opentelemetry;

import dev.outbox.Delivery;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import org.jspecify.annotations.Nullable;

/** What a client of a messaging system counts. */
final class SendMetrics {
    private final LongCounter messages;
    private final DoubleHistogram duration;

    SendMetrics(OpenTelemetry openTelemetry) {
        Meter meter = openTelemetry
                .getMeterProvider()
                .meterBuilder(Semantics.SCOPE)
                .setSchemaUrl(Semantics.SCHEMA)
                .build();
        messages = meter.counterBuilder(Semantics.SENT_MESSAGES)
                .setUnit("{message}")
                .setDescription("Messages that a relay tried to send to a broker")
                .build();
        duration = meter.histogramBuilder(Semantics.DURATION)
                .setUnit("s")
                .setDescription("How long sending a message took")
                .setExplicitBucketBoundariesAdvice(Semantics.DURATION_BOUNDS)
                .build();
    }

    void sent(Delivery<?> delivery, String system, String destination, @Nullable Throwable failure, long nanos) {
        AttributesBuilder tags = Attributes.builder()
                .put(Semantics.SYSTEM, system)
                .put(Semantics.OPERATION_NAME, Semantics.SEND)
                .put(Semantics.OPERATION_TYPE, Semantics.SEND)
                .put(Semantics.DESTINATION, destination)
                .put(Semantics.TOPIC, delivery.topic());
        if (failure != null) {
            tags.put(Semantics.ERROR, failure.getClass().getName());
        }
        Attributes attributes = tags.build();
        messages.add(1, attributes);
        duration.record(nanos / 1e9, attributes);
    }
}
