/** The outbox in MongoDB. */
@NullMarked
package dev.outbox.store.mongo;

import org.jspecify.annotations.NullMarked;
