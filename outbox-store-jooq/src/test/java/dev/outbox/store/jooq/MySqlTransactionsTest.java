package dev.outbox.store.jooq;

import com.mysql.cj.jdbc.MysqlXADataSource;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import javax.sql.XADataSource;
import org.junit.jupiter.api.Tag;

/** Ways into a transaction, through the driver of MySQL. */
@Tag("mysql")
class MySqlTransactionsTest extends TransactionsTest {
    MySqlTransactionsTest() {
        super(new MySqlHarness(), Dialects.MYSQL);
    }

    @Override
    XADataSource distributed(String url) {
        MysqlXADataSource source = new MysqlXADataSource();
        source.setUrl(url);
        return source;
    }
}
