/** What differs from database to database. Nothing outside of this package asks which database it is. */
@NullMarked
package dev.outbox.store.jooq.internal.dialect;

import org.jspecify.annotations.NullMarked;
