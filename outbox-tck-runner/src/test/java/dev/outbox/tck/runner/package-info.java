/** Tests of the jar as its users run it. */
@NullMarked
package dev.outbox.tck.runner;

import org.jspecify.annotations.NullMarked;
