/** Spans of writing into an outbox and of publishing from it: see {@link dev.outbox.opentelemetry.OutboxTelemetry}. */
package dev.outbox.opentelemetry;
