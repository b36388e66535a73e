/** The outbox in memory, for tests of what uses an outbox. */
@NullMarked
package dev.outbox.store.memory;

import org.jspecify.annotations.NullMarked;
