/** What checkouts and dialects tell each other: partitions, and what was found and read of them. */
@NullMarked
package dev.outbox.store.jooq.internal.partition;

import org.jspecify.annotations.NullMarked;
