/** A stranger follows the document and has a store that the TCK can judge. */
@NullMarked
package dev.outbox.tck.proofs;

import org.jspecify.annotations.NullMarked;
