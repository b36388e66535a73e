/**
 * What the modules of outbox share, and nobody else sees. It knows no other package of outbox, so that all can use it.
 */
@NullMarked
package dev.outbox.internal;

import org.jspecify.annotations.NullMarked;
