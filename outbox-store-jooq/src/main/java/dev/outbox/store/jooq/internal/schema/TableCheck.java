package dev.outbox.store.jooq.internal.schema;

import dev.outbox.ConfigurationException;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.IndexInfo;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * What the tables must be like in addition to having their columns. DDL that was rewritten by hand or by a tool, a
 * restore that was cut off: without its indexes an outbox works, and falls over with its first backlog; and one whose
 * topics are compared inexactly hands out the messages of one topic as those of another (OBX-FILTER-1).
 */
public final class TableCheck {
    /** An index that statements need, with the name that the DDL gives it; empty where that is the primary key. */
    private record Wanted(String table, String name, boolean unique, List<String> columns) {}

    private static final List<Wanted> WANTED = List.of(
            new Wanted("outbox_message", "", true, List.of("id")),
            new Wanted("outbox_message", "outbox_message_order", false, List.of("topic", "partition_no", "id")),
            new Wanted("outbox_partition", "", true, List.of("id")),
            new Wanted("outbox_partition", "outbox_partition_name", true, List.of("topic", "partition_no")),
            new Wanted("outbox_dead_letter", "", true, List.of("id")),
            new Wanted("outbox_dead_letter", "outbox_dead_letter_order", false, List.of("topic", "died_at", "id")),
            new Wanted("outbox_dead_letter", "outbox_dead_letter_message", false, List.of("message_id")));

    private TableCheck() {}

    /**
     * Checks tables whose columns are there.
     *
     * @throws ConfigurationException if something is not as it must be, with the statements that repair it
     */
    static void run(Connection connection, Dialect dialect) throws SQLException {
        List<String> wrong = new ArrayList<>();
        List<String> statements = new ArrayList<>();
        for (String table : List.of("outbox_message", "outbox_partition", "outbox_dead_letter")) {
            String inexact = dialect.inexactTopic(connection, table);
            if (inexact != null) {
                throw new ConfigurationException(dialect.sql("Opening the outbox failed: " + inexact));
            }
            List<IndexInfo> indexes = dialect.indexes(connection, table);
            for (Wanted wanted : WANTED) {
                if (wanted.table().equals(table)
                        && indexes.stream().noneMatch(index -> serves(index, wanted, dialect))) {
                    wrong.add(table + " (" + String.join(", ", wanted.columns()) + ")");
                    statements.addAll(mend(wanted, indexes, dialect));
                }
            }
        }
        if (!statements.isEmpty()) {
            throw new ConfigurationException(
                    dialect.sql("Opening the outbox failed: there is no index, or none that can be used, on "
                            + String.join(", ", wrong) + ". Without it every poll reads the whole table. Run this:\n\n"
                            + String.join(";\n", statements) + ";"));
        }
    }

    private static boolean serves(IndexInfo index, Wanted wanted, Dialect dialect) {
        return index.usable()
                && (index.unique() || !wanted.unique())
                && index.columns().equals(wanted.columns())
                && (!dialect.namesIndexes()
                        || wanted.name().isEmpty()
                        || index.name().equalsIgnoreCase(dialect.sql(wanted.name())));
    }

    private static List<String> mend(Wanted wanted, List<IndexInfo> indexes, Dialect dialect) {
        String columns = " (" + String.join(", ", wanted.columns()) + ")";
        if (wanted.name().isEmpty()) {
            return List.of("ALTER TABLE " + wanted.table() + " ADD PRIMARY KEY" + columns);
        }
        List<String> statements = new ArrayList<>();
        if (indexes.stream().anyMatch(index -> index.name().equalsIgnoreCase(dialect.sql(wanted.name())))) {
            statements.add(dialect.dropIndex(wanted.name(), wanted.table()));
        }
        statements.add("CREATE " + (wanted.unique() ? "UNIQUE " : "") + "INDEX " + wanted.name() + " ON "
                + wanted.table() + columns);
        return statements;
    }
}
