package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** Holds on PostgreSQL. */
@Tag("postgres")
class PostgresHoldTest extends HoldTest {
    PostgresHoldTest() {
        super(new PostgresHarness());
    }

    @Override
    String limited(String url) {
        return url + "&options=-c%20idle_in_transaction_session_timeout=3000%20-c%20transaction_timeout=3000"
                + "%20-c%20statement_timeout=3000%20-c%20lock_timeout=3000";
    }

    @Override
    String limits() {
        return "SELECT string_agg(setting, ' ' ORDER BY name) FROM pg_settings WHERE name LIKE '%timeout'"
                + " OR name LIKE 'tcp%'";
    }
}
