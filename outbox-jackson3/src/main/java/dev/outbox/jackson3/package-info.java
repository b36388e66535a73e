/** Messages as JSON, by Jackson 3. */
@NullMarked
package dev.outbox.jackson3;

import org.jspecify.annotations.NullMarked;
