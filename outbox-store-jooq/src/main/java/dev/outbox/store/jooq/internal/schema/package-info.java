/** The tables: their DDL, creating and upgrading them, and errors that say what is missing. */
@NullMarked
package dev.outbox.store.jooq.internal.schema;

import org.jspecify.annotations.NullMarked;
