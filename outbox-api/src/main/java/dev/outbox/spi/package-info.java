/** What a storage backend or a serialisation format implements, and what helps it to. */
@NullMarked
package dev.outbox.spi;

import org.jspecify.annotations.NullMarked;
