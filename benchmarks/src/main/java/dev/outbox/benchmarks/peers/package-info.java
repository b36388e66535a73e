/** Other outboxes, and the algorithm that outbox has grown from, doing the same work on PostgreSQL. */
@NullMarked
package dev.outbox.benchmarks.peers;

import org.jspecify.annotations.NullMarked;
