package dev.outbox.store.jooq;

import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The tables of the outbox, on H2. */
class H2SchemaTest extends SchemaTest {
    H2SchemaTest() {
        super(new H2Harness(), new H2Dialect());
    }

    @Test
    void aDatabaseThatIgnoresCaseIsRefused() throws Exception {
        String url = "jdbc:h2:mem:ignoring;DB_CLOSE_DELAY=-1";
        H2StoreTest.assertRefused(url + ";IGNORECASE=TRUE", StoreOptions.defaults(), "IGNORECASE", "ALTER TABLE");
        String collated = "jdbc:h2:mem:collated;DB_CLOSE_DELAY=-1";
        try (Connection connection = DriverManager.getConnection(collated);
                Statement statement = connection.createStatement()) {
            statement.execute("SET COLLATION ENGLISH STRENGTH PRIMARY");
        }
        H2StoreTest.assertRefused(collated, StoreOptions.defaults(), "SET COLLATION");
    }

    @Test
    void whateverTheDatabaseDoesToNamesTheIndexIsFound() {
        for (String setting :
                List.of("DATABASE_TO_UPPER=FALSE", "DATABASE_TO_LOWER=TRUE", "CASE_INSENSITIVE_IDENTIFIERS=TRUE")) {
            Stores.open("jdbc:h2:mem:" + setting.charAt(12) + ";DB_CLOSE_DELAY=-1;" + setting)
                    .close();
        }
    }
}
