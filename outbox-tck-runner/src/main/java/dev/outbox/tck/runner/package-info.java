/** Runs the suite from a command line, against any store on a class path. */
@NullMarked
package dev.outbox.tck.runner;

import org.jspecify.annotations.NullMarked;
