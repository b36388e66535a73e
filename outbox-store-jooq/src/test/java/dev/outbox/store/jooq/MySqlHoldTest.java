package dev.outbox.store.jooq;

import java.sql.SQLException;
import org.junit.jupiter.api.Tag;

/** Holds on MySQL. */
@Tag("mysql")
class MySqlHoldTest extends HoldTest {
    MySqlHoldTest() {
        super(new MySqlHarness());
    }

    @Override
    String limited(String url) {
        return url + "&sessionVariables=wait_timeout=6,max_execution_time=6000";
    }

    @Override
    String limits() {
        return "SELECT concat_ws(' ', @@wait_timeout, @@max_execution_time)";
    }

    @Override
    boolean waits(String text) throws SQLException {
        return isOne(
                "SELECT count(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock%'"
                        + " AND info LIKE 'ALTER%" + text + "%'");
    }
}
