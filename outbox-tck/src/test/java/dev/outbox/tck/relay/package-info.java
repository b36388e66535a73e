/** The relay, tested over the reference store. */
@NullMarked
package dev.outbox.tck.relay;

import org.jspecify.annotations.NullMarked;
