/** Open batches: keeping their hold, and applying their outcomes. */
@NullMarked
package dev.outbox.store.jooq.internal.close;

import org.jspecify.annotations.NullMarked;
