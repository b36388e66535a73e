package dev.outbox.store.jooq.internal.connection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.Driver;

@Timeout(value = 1, unit = TimeUnit.MINUTES)
class ConnectRetriesTest {
    private static final String URL = "jdbc:h2:mem:retries";

    private final SQLException away = new SQLException("Connection refused", "08001");
    private final SQLException password = new SQLException("authentication failed", "28P01");
    private final ConnectRetries retries = new ConnectRetries(Dialects.POSTGRESQL);
    private final AtomicInteger tries = new AtomicInteger();

    @Test
    void triesUntilTheServerIsBack() throws Exception {
        Connection connection = retries.connect(() -> {
            if (tries.incrementAndGet() < 3) {
                throw away;
            }
            assertSame(away, retries.lastFailure());
            return DriverManager.getConnection(URL);
        });
        connection.close();
        assertEquals(3, tries.get());
        assertNull(retries.lastFailure());
    }

    @Test
    void whatAnOperatorMustChangeIsSaidAtOnce() {
        assertSame(
                password,
                assertThrows(
                        SQLException.class,
                        () -> retries.connect(() -> {
                            tries.incrementAndGet();
                            throw password;
                        })));
        assertEquals(1, tries.get());
        assertSame(password, retries.lastFailure());
    }

    @Test
    void closingEndsTheTries() {
        assertSame(
                away,
                assertThrows(
                        SQLException.class,
                        () -> retries.connect(() -> {
                            if (tries.incrementAndGet() == 2) {
                                retries.close();
                            }
                            throw away;
                        })));
        assertEquals(2, tries.get());
    }

    @Test
    void anInterruptEndsTheTriesAndStays() {
        Thread.currentThread().interrupt();
        assertSame(
                away,
                assertThrows(
                        SQLException.class,
                        () -> retries.connect(() -> {
                            throw away;
                        })));
        assertTrue(Thread.interrupted());
    }

    @Test
    void aConnectionThatComesAfterTheCloseIsEnded() throws Exception {
        Connection connection = DriverManager.getConnection(URL);
        assertThrows(
                SQLException.class,
                () -> retries.connect(() -> {
                    retries.close();
                    return connection;
                }));
        assertTrue(connection.isClosed());
    }

    /** And not that the pool waited for 250 ms. */
    @Test
    void whoGetsNoConnectionIsToldWhyNoneCanBeMade() throws Exception {
        HikariConfig config = new HikariConfig();
        config.setDataSource(
                new DriverDataSource(new Driver(), "jdbc:postgresql://127.0.0.1:1/x", new Properties(), "the URL")
                        .with(retries));
        config.setConnectionTimeout(250);
        config.setInitializationFailTimeout(-1);
        try (Connections connections =
                Connections.own(new HikariDataSource(config), retries, true, Dialects.POSTGRESQL)) {
            while (retries.lastFailure() == null) {
                LockSupport.parkNanos(1_000_000);
            }
            ServerAwayException said = assertThrows(ServerAwayException.class, connections::borrow);
            assertTrue(said.toString().contains("127.0.0.1:1"), said.toString());
        }
    }
}
