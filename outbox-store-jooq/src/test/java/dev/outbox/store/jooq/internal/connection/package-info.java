/** Parts that need no database to be tested, or only one in memory. */
@NullMarked
package dev.outbox.store.jooq.internal.connection;

import org.jspecify.annotations.NullMarked;
