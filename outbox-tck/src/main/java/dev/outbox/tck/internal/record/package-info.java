/** What a test records, how long it waits, and how it ends. */
@NullMarked
package dev.outbox.tck.internal.record;

import org.jspecify.annotations.NullMarked;
