package dev.outbox.store.jooq;

import dev.outbox.store.jooq.internal.dialect.Dialects;
import javax.sql.XADataSource;
import org.junit.jupiter.api.Tag;
import org.postgresql.xa.PGXADataSource;

/** Ways into a transaction, through the driver of PostgreSQL. */
@Tag("postgres")
class PostgresTransactionsTest extends TransactionsTest {
    PostgresTransactionsTest() {
        super(new PostgresHarness(), Dialects.POSTGRESQL);
    }

    @Override
    XADataSource distributed(String url) {
        PGXADataSource source = new PGXADataSource();
        source.setUrl(url);
        return source;
    }
}
