/** Tests of traces. */
@NullMarked
package dev.outbox.opentelemetry;

import org.jspecify.annotations.NullMarked;
