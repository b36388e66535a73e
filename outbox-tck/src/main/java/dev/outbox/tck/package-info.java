/**
 * The suite that every store must pass. The test of a store extends {@link dev.outbox.tck.StoreTck} and provides a
 * harness.
 */
@NullMarked
package dev.outbox.tck;

import org.jspecify.annotations.NullMarked;
