/** Topics, publishers, the relay, and the contract between the relay and a store. Start at {@link dev.outbox.Outbox}. */
@NullMarked
package dev.outbox;

import org.jspecify.annotations.NullMarked;
