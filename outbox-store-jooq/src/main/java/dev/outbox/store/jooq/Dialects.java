package dev.outbox.store.jooq;

import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.Collectors;

/** The databases that are supported. */
final class Dialects {
    /** With the default names. */
    static final List<Dialect> ALL =
            List.of(new PostgresDialect(), MySqlDialect.MYSQL, MySqlDialect.MARIADB, new H2Dialect());

    private Dialects() {}

    /** What the server is, whatever the driver takes it for. */
    static String product(DatabaseMetaData database) throws SQLException {
        return database.getDatabaseProductVersion().contains("MariaDB")
                ? MySqlServerKind.MARIADB.product()
                : database.getDatabaseProductName();
    }

    /** All of them, for error texts. */
    static String supported() {
        return ALL.stream()
                .map(d ->
                        d.product() + " from " + ServerVersion.shown(d.leastVersion()) + " on (" + d.urlPrefix() + ")")
                .collect(Collectors.joining(", "));
    }
}
