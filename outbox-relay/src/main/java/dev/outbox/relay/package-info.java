/** Publishes what was committed. */
@NullMarked
package dev.outbox.relay;

import org.jspecify.annotations.NullMarked;
