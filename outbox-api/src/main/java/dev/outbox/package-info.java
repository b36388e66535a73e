/** Topics, publishers, and the contract between a relay and a store. Start at {@link dev.outbox.Outbox}. */
@NullMarked
package dev.outbox;

import org.jspecify.annotations.NullMarked;
