/**
 * What helps the author of a store. A store implements {@link dev.outbox.Store} and {@link dev.outbox.StoreProvider}.
 * They are in the package that applications import, as {@code java.sql.Driver} is. This package uses that one. That one
 * does not use this.
 */
@NullMarked
package dev.outbox.spi;

import org.jspecify.annotations.NullMarked;
