/** A shop that takes orders, a relay in a second process that is killed on the way, and a count of what arrived. */
@NullMarked
package dev.outbox.examples.quickstart;

import org.jspecify.annotations.NullMarked;
