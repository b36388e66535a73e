/** Clients in processes of their own, which are killed and paused. */
@NullMarked
package dev.outbox.tck.internal.process;

import org.jspecify.annotations.NullMarked;
