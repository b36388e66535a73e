/**
 * What tests under faults need in addition to servers: processes that are killed and paused, their log, and waiting.
 */
@NullMarked
package dev.outbox.processes;

import org.jspecify.annotations.NullMarked;
