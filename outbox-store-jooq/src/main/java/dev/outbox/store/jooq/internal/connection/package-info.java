/** Where connections come from, and how they are given back. */
@NullMarked
package dev.outbox.store.jooq.internal.connection;

import org.jspecify.annotations.NullMarked;
