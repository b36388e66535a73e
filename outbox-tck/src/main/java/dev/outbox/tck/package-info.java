/** The suite that every store passes: a store's test extends {@link dev.outbox.tck.StoreTck} and provides a harness. */
@NullMarked
package dev.outbox.tck;

import org.jspecify.annotations.NullMarked;
