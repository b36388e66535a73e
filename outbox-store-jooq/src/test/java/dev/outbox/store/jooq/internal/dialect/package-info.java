/** The store is tested against real databases: the contract by the TCK, and what is its own here. */
@NullMarked
package dev.outbox.store.jooq.internal.dialect;

import org.jspecify.annotations.NullMarked;
