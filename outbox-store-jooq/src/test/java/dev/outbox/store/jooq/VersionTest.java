package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Servers that are too old are refused, and no others. */
class VersionTest {
    @Test
    void whatIsTooOldIsTold() {
        check(true, "5.7.44-log", MySqlDialect.MYSQL);
        check(true, "8.0.19", MySqlDialect.MYSQL);
        check(false, "8.0.20", MySqlDialect.MYSQL);
        check(false, "8.0.31-0ubuntu0.22.04.1", MySqlDialect.MYSQL);
        check(false, "8.4.0", MySqlDialect.MYSQL);
        check(false, "9.1.0", MySqlDialect.MYSQL);
        check(false, "8.0.mysql_aurora.3.04", MySqlDialect.MYSQL);
        check(true, "5.5.5-10.5.21-MariaDB", MySqlDialect.MARIADB);
        check(false, "5.5.5-10.6.0-MariaDB-log", MySqlDialect.MARIADB);
        check(false, "11.4.5-MariaDB-log", MySqlDialect.MARIADB);
    }

    private static void check(boolean tooOld, String version, Dialect dialect) {
        assertEquals(tooOld, Dialects.isTooOld(ServerVersion.parse(version), dialect), version);
    }
}
