package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** Holds on MySQL. */
@Tag("mysql")
class MySqlHoldTest extends HoldTest {
    MySqlHoldTest() {
        super(new MySqlHarness());
    }

    @Override
    String limited(String url) {
        return url + "&sessionVariables=wait_timeout=3,max_execution_time=3000";
    }

    @Override
    String limits() {
        return "SELECT concat_ws(' ', @@wait_timeout, @@max_execution_time)";
    }
}
