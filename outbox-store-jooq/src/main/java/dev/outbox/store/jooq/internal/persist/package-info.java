/** Writing messages in the transaction of the application. */
@NullMarked
package dev.outbox.store.jooq.internal.persist;

import org.jspecify.annotations.NullMarked;
