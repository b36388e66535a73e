/** The contract as the suite reads it: its rules, its levels, and the tests that carry a rule. */
@NullMarked
package dev.outbox.tck.internal.spec;

import org.jspecify.annotations.NullMarked;
