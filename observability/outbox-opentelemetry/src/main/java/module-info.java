import org.jspecify.annotations.NullMarked;

/** Spans of an outbox for OpenTelemetry: see {@link dev.outbox.opentelemetry.OutboxTelemetry}. */
@NullMarked
module dev.outbox.opentelemetry {
    exports dev.outbox.opentelemetry;

    requires transitive dev.outbox.relay;
    requires transitive io.opentelemetry.api;
    requires io.opentelemetry.context;
    requires static transitive org.jspecify;
}
