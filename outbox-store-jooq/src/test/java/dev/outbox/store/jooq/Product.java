package dev.outbox.store.jooq;

import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Locale;

/** What a database calls itself. */
final class Product {
    private Product() {}

    /** Name and version, as in {@code PostgreSQL 17.2}. */
    static String of(String url) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url)) {
            DatabaseMetaData data = connection.getMetaData();
            return data.getDatabaseProductName() + " " + data.getDatabaseProductVersion();
        }
    }

    /** What users call the database of a dialect. */
    static SqlDatabase database(Dialect dialect) {
        return SqlDatabase.valueOf(dialect.product().toUpperCase(Locale.ROOT));
    }
}
