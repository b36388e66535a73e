/** A network with faults. */
@NullMarked
package dev.outbox.tck.internal.network;

import org.jspecify.annotations.NullMarked;
