package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import dev.outbox.store.jooq.internal.schema.DdlRun;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The tables of the outbox, on H2. */
class H2SchemaTest extends SchemaTest {
    H2SchemaTest() {
        super(new H2Harness(), Dialects.H2);
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

    @Test
    void whyAConnectionWasLostIsToldAndNotWhatFailedAfterIt() throws Exception {
        Connection connection = DriverManager.getConnection("jdbc:h2:mem:lost"); // closed by its commit
        Connection lost = (Connection) Proxy.newProxyInstance(
                H2SchemaTest.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("commit")) {
                        connection.close();
                        throw new SQLException("the server has ended the session", "08006");
                    }
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        SQLException e = assertThrows(SQLException.class, () -> new DdlRun(lost, Dialects.H2, DdlRun.PATIENCE).run());
        assertEquals("the server has ended the session", e.getMessage());
        assertEquals(2, e.getSuppressed().length, "failures of the rollback and of what restores auto-commit");
    }
}
