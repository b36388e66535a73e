package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.outbox.store.jooq.internal.dialect.Dialects;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.XADataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;

/** Ways into a transaction, through the driver of H2. */
class H2TransactionsTest extends TransactionsTest {
    H2TransactionsTest() {
        super(new H2Harness(), Dialects.H2);
    }

    @Override
    XADataSource distributed(String url) {
        JdbcDataSource source = new JdbcDataSource();
        source.setURL(url);
        return source;
    }

    /** The database has no such statement. */
    @Override
    @Test
    void aTransactionThatWasBegunReadOnlyInSqlIsToldSo() throws Exception {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            assertThrows(SQLException.class, () -> statement.execute("BEGIN READ ONLY"));
        }
    }

    /** There are none: the driver takes the setting and does nothing about it. */
    @Override
    @Test
    void aReadOnlyTransactionIsToldSo() throws Exception {
        try (Connection connection = connect()) {
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            ways(connection).forEach(persist -> write(persist, "a"));
            connection.commit();
        }
        assertPublished("a", "a");
    }
}
