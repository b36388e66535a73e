package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.MessageBatch;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** Holds on PostgreSQL. */
@Tag("postgres")
class PostgresHoldTest extends HoldTest {
    PostgresHoldTest() {
        super(new PostgresHarness());
    }

    @Override
    String limited(String url) {
        return url + "&options=-c%20idle_in_transaction_session_timeout=6000%20-c%20transaction_timeout=6000"
                + "%20-c%20statement_timeout=6000%20-c%20lock_timeout=6000";
    }

    @Override
    String limits() {
        return "SELECT string_agg(setting, ' ' ORDER BY name) FROM pg_settings WHERE name LIKE '%timeout'"
                + " OR name LIKE 'tcp%'";
    }

    /** A machine that vanishes silently is noticed after a minute: 20 s, and four questions every 10 s. */
    @Test
    void aBatchOnTheApplicationsConnectionHasTheLimitsThatTheDocumentationNames() throws Exception {
        AtomicReference<Connection> last = new AtomicReference<>();
        PGSimpleDataSource source = new PGSimpleDataSource() {
            @Override
            public Connection getConnection() throws SQLException {
                Connection connection = super.getConnection();
                last.set(connection);
                return connection;
            }
        };
        source.setURL(address);
        commit(0, "m");
        try (Store store = JdbcOutbox.store(source, StoreOptions.defaults());
                MessageBatch batch = checkout(store);
                Statement statement = Objects.requireNonNull(last.get()).createStatement();
                ResultSet row = statement.executeQuery("SELECT string_agg(name || '=' || setting, ' ' ORDER BY name)"
                        + " FROM pg_settings WHERE name LIKE 'tcp%'")) {
            row.next();
            assertEquals(
                    "tcp_keepalives_count=4 tcp_keepalives_idle=20 tcp_keepalives_interval=10"
                            + " tcp_user_timeout=60000",
                    row.getString(1));
            assertTrue(batch.isHeld());
        }
    }

    @Override
    boolean waits(String text) throws SQLException {
        return isOne(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%" + text + "'");
    }
}
