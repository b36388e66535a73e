/**
 * The zoo: stores that break the contract, each in one way, to see that the suite catches them. They are the store in memory
 * with one of its steps done wrong. What serves it to other processes, so that they can be killed and paused, is here, too.
 */
package dev.outbox.tck.memory;
