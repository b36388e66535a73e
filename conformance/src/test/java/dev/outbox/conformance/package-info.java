/** What documents claim is compared with what builds have shown. */
@NullMarked
package dev.outbox.conformance;

import org.jspecify.annotations.NullMarked;
