/** What a run was asked for, what it found, and the report of it. */
@NullMarked
package dev.outbox.tck.internal.report;

import org.jspecify.annotations.NullMarked;
