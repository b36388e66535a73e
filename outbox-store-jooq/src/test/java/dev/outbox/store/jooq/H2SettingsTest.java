package dev.outbox.store.jooq;

import java.util.List;

/** Settings on H2. */
class H2SettingsTest extends SettingsTest {
    H2SettingsTest() {
        super(new H2Harness());
    }

    @Override
    String with(String url, String parameter) {
        return url + ";" + parameter;
    }

    @Override
    List<String> harmless() {
        return List.of(
                "LOCK_MODE=0",
                "LOCK_MODE=1",
                "LOCK_MODE=3",
                "AUTO_RECONNECT=TRUE",
                "DB_CLOSE_DELAY=-1",
                "DB_CLOSE_ON_EXIT=FALSE",
                "NON_KEYWORDS=VALUE,KEY,USER",
                "DEFAULT_LOCK_TIMEOUT=1",
                "LOCK_TIMEOUT=1",
                "QUERY_TIMEOUT=5000",
                "CASE_INSENSITIVE_IDENTIFIERS=TRUE",
                "MODE=REGULAR",
                "MODE=STRICT",
                "MODE=LEGACY",
                "MODE=PostgreSQL",
                "MODE=MySQL",
                "MODE=MariaDB",
                "MODE=Oracle",
                "MODE=MSSQLServer",
                "MODE=DB2",
                "MODE=Derby",
                "MODE=HSQLDB",
                "DEFAULT_NULL_ORDERING=HIGH",
                "TIME ZONE=Asia/Kolkata",
                "OPTIMIZE_REUSE_RESULTS=0",
                "REUSE_SPACE=FALSE",
                "WRITE_DELAY=0",
                "IGNORECASE=TRUE");
    }

    @Override
    List<String[]> refused() {
        return List.of();
    }
}
