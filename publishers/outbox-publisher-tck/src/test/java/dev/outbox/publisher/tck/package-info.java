@NullMarked
package dev.outbox.publisher.tck;

import org.jspecify.annotations.NullMarked;
