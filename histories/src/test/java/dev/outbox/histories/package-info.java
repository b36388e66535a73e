/** Writers and relays at work, the faults that hit them, and a checker that judges what happened. */
@org.jspecify.annotations.NullMarked
package dev.outbox.histories;
