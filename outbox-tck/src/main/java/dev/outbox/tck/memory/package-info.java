/**
 * An in-memory store: the contract in its shortest form, for those who write a store. It keeps nothing when its process
 * ends.
 */
@NullMarked
package dev.outbox.tck.memory;

import org.jspecify.annotations.NullMarked;
