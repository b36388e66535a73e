/** Tests of the meters. */
@NullMarked
package dev.outbox.micrometer;

import org.jspecify.annotations.NullMarked;
