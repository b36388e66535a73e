/** What a store tries out when it is opened, so that nothing fails later. */
@NullMarked
package dev.outbox.store.jooq.internal.opening;

import org.jspecify.annotations.NullMarked;
