package dev.outbox.store.jooq.internal.schema;

import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A statement of the scripts and what it makes, so that it can be left out where that is there. To say IF NOT EXISTS is
 * not enough: databases lock the table, and ask for the right to make it, before they look.
 *
 * @param table with its default name
 * @param name of the column or the index; else that of the table
 * @param sql with default names
 */
public record DdlStep(Kind kind, String table, String name, String sql) {
    /** In the order in which they are made: an index may need a column that an upgrade adds. */
    enum Kind {
        TABLE("CREATE TABLE IF NOT EXISTS (?<table>\\w+)"),
        COLUMN("ALTER TABLE (?<table>\\w+) ADD COLUMN (?:IF NOT EXISTS )?(?<name>\\w+)"),
        INDEX("CREATE INDEX (?:IF NOT EXISTS )?(?<name>\\w+) ON (?<table>\\w+)"),
        ROW("INSERT (?:IGNORE )?INTO (?<table>outbox_schema)\\b"),

        /** Of PostgreSQL, replaced if it is there: {@link NotifyTrigger} knows whether it is. */
        TRIGGER("CREATE OR REPLACE TRIGGER (?<name>\\w+) AFTER INSERT ON (?<table>\\w+)");

        private final Pattern pattern;

        Kind(String pattern) {
            this.pattern = Pattern.compile(pattern);
        }
    }

    /** A statement within a text: MySQL's scripts have those so that they themselves can ask before. */
    private static final Pattern QUOTED = Pattern.compile("'((?:ALTER TABLE|CREATE INDEX) [^']+)'");

    private static final Pattern COMMENT = Pattern.compile("(?m)^\\s*--.*$");

    /** All that there is in the scripts of a database. */
    public static List<DdlStep> all(Dialect dialect) {
        return of(DdlScripts.all(dialect));
    }

    /** All that there is in a script, with default names. */
    static List<DdlStep> of(String script) {
        List<DdlStep> steps = new ArrayList<>();
        for (String part : DdlScripts.statements(script)) {
            String statement = COMMENT.matcher(part).replaceAll("").strip();
            Matcher quoted = QUOTED.matcher(statement);
            add(quoted.find() ? quoted.group(1) : statement, steps);
        }
        steps.sort(Comparator.comparing(DdlStep::kind)); // stable
        return steps;
    }

    private static void add(String sql, List<DdlStep> steps) {
        for (Kind kind : Kind.values()) {
            Matcher found = kind.pattern.matcher(sql);
            if (found.lookingAt()) {
                String table = found.group("table");
                boolean named = kind != Kind.TABLE && kind != Kind.ROW;
                String name = named ? found.group("name") : table;
                if (steps.stream().noneMatch(s -> s.kind == kind && s.name.equals(name) && s.table.equals(table))) {
                    steps.add(new DdlStep(kind, table, name, sql));
                }
            }
        }
    }

    /**
     * Looks. What the user may not see is not his to make, and counts as there. The connection is in auto-commit mode,
     * so that a failure has no consequences.
     */
    public boolean isMissing(Connection connection, Dialect dialect) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return switch (kind) {
                case TABLE, COLUMN -> {
                    String what = kind == Kind.TABLE ? "1" : name;
                    statement
                            .executeQuery(dialect.sql("SELECT " + what + " FROM " + table + " WHERE 1 = 0"))
                            .close();
                    yield false;
                }
                case INDEX ->
                    dialect.indexes(connection, table).stream()
                            .noneMatch(index -> index.name().equalsIgnoreCase(dialect.sql(name)));
                case TRIGGER -> !NotifyTrigger.isThere(statement, dialect);
                case ROW -> {
                    try (ResultSet row = statement.executeQuery(dialect.sql("SELECT 1 FROM " + table))) {
                        yield !row.next();
                    }
                }
            };
        } catch (SQLException e) {
            if (dialect.isMissingTable(e)) {
                return true;
            }
            if (dialect.isMissingRight(e)) {
                return false;
            }
            throw e;
        }
    }
}
