import org.jspecify.annotations.NullMarked;

/** Meters and observations of an outbox for Micrometer: see {@link dev.outbox.micrometer.OutboxMetrics}. */
@NullMarked
module dev.outbox.micrometer {
    exports dev.outbox.micrometer;

    requires transitive dev.outbox.relay;
    requires transitive micrometer.commons;
    requires transitive micrometer.core;
    requires transitive micrometer.observation;
    requires org.slf4j;
    requires static transitive org.jspecify;
}
