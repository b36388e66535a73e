/** Messages as JSON, by Jackson 2. */
@NullMarked
package dev.outbox.jackson;

import org.jspecify.annotations.NullMarked;
