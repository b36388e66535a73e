package dev.outbox.store.jooq;

import java.sql.SQLException;
import org.junit.jupiter.api.Tag;

/** Holds on MariaDB. */
@Tag("mariadb")
@Tag("versions")
class MariaDbHoldTest extends HoldTest {
    MariaDbHoldTest() {
        super(new MariaDbHarness());
    }

    @Override
    String limited(String url) {
        return url
                + "&sessionVariables=wait_timeout=6,idle_transaction_timeout=6,idle_readonly_transaction_timeout=6,idle_write_transaction_timeout=6,max_statement_time=6";
    }

    @Override
    String limits() {
        return "SELECT concat_ws(' ', @@wait_timeout, @@idle_transaction_timeout, @@idle_readonly_transaction_timeout, @@idle_write_transaction_timeout, @@max_statement_time)";
    }

    @Override
    boolean waits(String text) throws SQLException {
        return isOne(
                "SELECT count(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock%'"
                        + " AND info LIKE 'ALTER%" + text + "%'");
    }
}
