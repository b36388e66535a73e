/**
 * What the API and the relay share, and nobody else sees. It knows no other package of outbox, so that both can use it.
 */
@NullMarked
package dev.outbox.internal;

import org.jspecify.annotations.NullMarked;
