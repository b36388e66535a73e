/** Checkouts: finding partitions, taking them, and reading their messages. */
@NullMarked
package dev.outbox.store.jooq.internal.checkout;

import org.jspecify.annotations.NullMarked;
