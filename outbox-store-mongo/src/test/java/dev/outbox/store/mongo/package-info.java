/** Tests of the store on MongoDB. */
@NullMarked
package dev.outbox.store.mongo;

import org.jspecify.annotations.NullMarked;
