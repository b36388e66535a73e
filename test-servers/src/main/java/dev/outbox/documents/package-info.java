/** What tests of documents share. */
@NullMarked
package dev.outbox.documents;

import org.jspecify.annotations.NullMarked;
