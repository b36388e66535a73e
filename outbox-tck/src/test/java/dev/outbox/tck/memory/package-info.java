/**
 * The zoo: stores that break the contract, each in one way, to see that the suite catches them. They are in the package of
 * the in-memory store because they do its steps wrong.
 */
package dev.outbox.tck.memory;
