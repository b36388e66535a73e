package dev.outbox.store.jooq;

import dev.outbox.store.jooq.internal.dialect.Dialects;
import java.sql.SQLException;
import javax.sql.XADataSource;
import org.junit.jupiter.api.Tag;
import org.mariadb.jdbc.MariaDbDataSource;

/** Ways into a transaction, through the driver of MariaDB. */
@Tag("mariadb")
class MariaDbTransactionsTest extends TransactionsTest {
    MariaDbTransactionsTest() {
        super(new MariaDbHarness(), Dialects.MARIADB);
    }

    @Override
    XADataSource distributed(String url) throws SQLException {
        return new MariaDbDataSource(url);
    }
}
