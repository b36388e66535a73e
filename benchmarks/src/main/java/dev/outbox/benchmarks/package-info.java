/** Whole-run measurements of outbox against hand-written loops over the bare drivers. */
@NullMarked
package dev.outbox.benchmarks;

import org.jspecify.annotations.NullMarked;
