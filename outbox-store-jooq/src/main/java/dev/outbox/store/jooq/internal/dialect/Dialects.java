package dev.outbox.store.jooq.internal.dialect;

import dev.outbox.ConfigurationException;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The databases that are supported. */
public final class Dialects {
    public static final Dialect POSTGRESQL = new PostgresDialect();
    public static final Dialect MYSQL = MySqlDialect.MYSQL;
    public static final Dialect MARIADB = MySqlDialect.MARIADB;
    public static final Dialect H2 = new H2Dialect();

    /** With the default names. */
    public static final List<Dialect> ALL = List.of(POSTGRESQL, MYSQL, MARIADB, H2);

    private Dialects() {}

    /** What the server is, whatever the driver takes it for. */
    public static String product(DatabaseMetaData database) throws SQLException {
        return database.getDatabaseProductVersion().contains("MariaDB")
                ? MySqlServerKind.MARIADB.product()
                : database.getDatabaseProductName();
    }

    /** The dialect of the server that a connection leads to, if its version will do. */
    public static Dialect of(Connection connection) throws SQLException {
        DatabaseMetaData database = connection.getMetaData();
        String product = product(database);
        Dialect dialect = of(d -> d.product().equals(product), product);
        int[] version = dialect.version(database);
        if (isTooOld(version, dialect)) {
            throw new ConfigurationException("The outbox does not support " + product + " "
                    + ServerVersion.shown(version) + "; it supports " + supported() + ".");
        }
        return dialect;
    }

    /** The dialect for a URL. */
    public static Dialect of(String url, String shown) {
        return of(d -> url.startsWith(d.urlPrefix()), shown);
    }

    private static Dialect of(Predicate<Dialect> wanted, String what) {
        return ALL.stream()
                .filter(wanted)
                .findFirst()
                .orElseThrow(() -> new ConfigurationException(
                        "The outbox does not support " + what + "; it supports " + supported() + "."));
    }

    /** Whether a version is too old. Numbers that the server does not tell are taken to be high enough. */
    public static boolean isTooOld(int[] version, Dialect dialect) {
        int[] least = dialect.leastVersion();
        int told = Math.min(version.length, least.length);
        return Arrays.compare(version, 0, told, least, 0, told) < 0;
    }

    /** All of them, for error texts. */
    public static String supported() {
        return ALL.stream()
                .map(d ->
                        d.product() + " from " + ServerVersion.shown(d.leastVersion()) + " on (" + d.urlPrefix() + ")")
                .collect(Collectors.joining(", "));
    }
}
