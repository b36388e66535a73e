package dev.outbox.store.jooq.internal.dialect;

import java.util.List;

/**
 * An index as the catalog of the database has it.
 *
 * @param columns in order, as the DDL names them
 * @param unique whether it keeps two rows from having the same columns
 * @param usable false if the database does not use it, or not for every row and in ascending order: it is partial, it
 *     is switched off, making it was cut off
 */
public record IndexInfo(String name, List<String> columns, boolean unique, boolean usable) {}
