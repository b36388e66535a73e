/** Meters and observations of an outbox: see {@link dev.outbox.micrometer.OutboxMetrics}. */
package dev.outbox.micrometer;
