/** Wake-ups. */
@NullMarked
package dev.outbox.store.jooq.internal.wakeup;

import org.jspecify.annotations.NullMarked;
