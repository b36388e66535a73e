package dev.outbox.store.jooq.fault;

import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;

/** Histories under faults, on PostgreSQL. */
@Tag("postgres")
class PostgresHistoryTest extends ServerHistoryTest {
    PostgresHistoryTest() {
        super(new PostgresDatabase(), Pattern.compile("\0 ?COMMIT\0"));
    }

    @Override
    String withCommitsAsText(String address) {
        return address + "&prepareThreshold=0"; // else a commit is prepared once, and its text is not sent again
    }
}
