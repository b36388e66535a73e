/**
 * Exploration: random sequences of all operations of the contract, a model that says what a store may and must
 * answer, and the shortest sequence that still goes wrong.
 */
@NullMarked
package dev.outbox.tck.internal.explore;

import org.jspecify.annotations.NullMarked;
