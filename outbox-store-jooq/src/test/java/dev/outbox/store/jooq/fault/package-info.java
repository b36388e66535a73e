/**
 * Histories under faults: writers and relays go on while servers are killed, connections cut and processes paused, and
 * afterwards what they did is checked. Black box: nothing here sees the inside of the store.
 */
@NullMarked
package dev.outbox.store.jooq.fault;

import org.jspecify.annotations.NullMarked;
