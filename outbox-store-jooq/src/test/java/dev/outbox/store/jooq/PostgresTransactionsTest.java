package dev.outbox.store.jooq;

import javax.sql.XADataSource;
import org.junit.jupiter.api.Tag;
import org.postgresql.xa.PGXADataSource;

/** Ways into a transaction, through the driver of PostgreSQL. */
@Tag("postgres")
class PostgresTransactionsTest extends TransactionsTest {
    PostgresTransactionsTest() {
        super(new PostgresHarness(), new PostgresDialect());
    }

    @Override
    XADataSource distributed(String url) {
        PGXADataSource source = new PGXADataSource();
        source.setUrl(url);
        return source;
    }
}
