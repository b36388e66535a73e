/** Operations for the people who run the outbox. */
@NullMarked
package dev.outbox.store.jooq.internal.operations;

import org.jspecify.annotations.NullMarked;
