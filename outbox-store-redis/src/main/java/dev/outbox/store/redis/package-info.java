/** The outbox in Redis, through Jedis. */
@NullMarked
package dev.outbox.store.redis;

import org.jspecify.annotations.NullMarked;
