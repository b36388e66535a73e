/** The outbox in a SQL database, through jOOQ or JDBC. */
@NullMarked
package dev.outbox.store.jooq;

import org.jspecify.annotations.NullMarked;
