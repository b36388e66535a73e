package dev.outbox.store.jooq.internal.dialect;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Servers that are too old are refused, and no others. */
class ServerVersionTest {
    @Test
    void whatIsTooOldIsTold() {
        check(true, "5.7.44-log", Dialects.MYSQL);
        check(true, "8.0.19", Dialects.MYSQL);
        check(false, "8.0.20", Dialects.MYSQL);
        check(false, "8.0.31-0ubuntu0.22.04.1", Dialects.MYSQL);
        check(false, "8.4.0", Dialects.MYSQL);
        check(false, "9.1.0", Dialects.MYSQL);
        check(false, "8.0.mysql_aurora.3.04", Dialects.MYSQL);
        check(true, "5.5.5-10.5.21-MariaDB", Dialects.MARIADB);
        check(false, "5.5.5-10.6.0-MariaDB-log", Dialects.MARIADB);
        check(false, "11.4.5-MariaDB-log", Dialects.MARIADB);
    }

    private static void check(boolean tooOld, String version, Dialect dialect) {
        assertEquals(tooOld, Dialects.isTooOld(ServerVersion.parse(version), dialect), version);
    }
}
