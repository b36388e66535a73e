/**
 * What codecs for JSON share: they compare what comes back with what was written. It knows no library for JSON. Only
 * the codecs of this project see it.
 */
@NullMarked
package dev.outbox.internal.json;

import org.jspecify.annotations.NullMarked;
