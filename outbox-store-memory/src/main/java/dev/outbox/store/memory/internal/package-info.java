/**
 * How the store in memory works: the contract in its shortest form, for those who write a store or break one on
 * purpose.
 */
@NullMarked
package dev.outbox.store.memory.internal;

import org.jspecify.annotations.NullMarked;
