/** The store on a SQL database: how it is opened, and what its batches share. */
@NullMarked
package dev.outbox.store.jooq.internal;

import org.jspecify.annotations.NullMarked;
