/** The suite that every publisher to a broker passes: extend {@link dev.outbox.publisher.tck.PublisherTck}. */
@NullMarked
package dev.outbox.publisher.tck;

import org.jspecify.annotations.NullMarked;
