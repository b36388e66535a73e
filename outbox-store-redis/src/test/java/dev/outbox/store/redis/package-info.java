/** Tests of the store in Redis, on real servers. */
@NullMarked
package dev.outbox.store.redis;

import org.jspecify.annotations.NullMarked;
