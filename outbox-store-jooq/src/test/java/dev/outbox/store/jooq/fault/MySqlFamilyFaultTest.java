package dev.outbox.store.jooq.fault;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.regex.Pattern;

/** Histories under faults, on MySQL and MariaDB. */
abstract class MySqlFamilyFaultTest extends ServerFaultTest {
    MySqlFamilyFaultTest(String database) {
        super(database);
    }

    /** Behind the byte that says that a statement follows, or that it has no attributes. */
    @Override
    Pattern commit() {
        return Pattern.compile("[\u0003\u0001]commit$", Pattern.CASE_INSENSITIVE);
    }

    @Override
    long deadlocks(String url) throws SQLException {
        return Sql.number(url, "SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'");
    }

    @Override
    void endSessions(Connection administrator) throws SQLException {
        for (long session : Sql.numbers(
                administrator,
                "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()")) {
            try (Statement statement = administrator.createStatement()) {
                statement.execute("KILL " + session);
            } catch (SQLException e) {
                if (e.getErrorCode() != 1094) { // it has just ended of itself
                    throw e;
                }
            }
        }
    }
}
