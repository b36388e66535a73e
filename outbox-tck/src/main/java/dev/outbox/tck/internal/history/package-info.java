/** What concurrent clients did, and whether the contract allows it. */
@NullMarked
package dev.outbox.tck.internal.history;

import org.jspecify.annotations.NullMarked;
