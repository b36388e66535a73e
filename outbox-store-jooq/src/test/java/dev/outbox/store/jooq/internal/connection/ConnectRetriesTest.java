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
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.Driver;

@Timeout(value = 5, unit = TimeUnit.MINUTES)
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
            assertSame(away, retries.whyNone());
            return DriverManager.getConnection(URL);
        });
        connection.close();
        assertEquals(3, tries.get());
        assertNull(retries.whyNone());
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
        assertSame(password, retries.whyNone());
    }

    /** A refusal of before is no news then. */
    @Test
    void aServerThatFallsSilentIsSaidToBe() throws Exception {
        assertThrows(
                SQLException.class,
                () -> retries.connect(() -> {
                    throw password;
                }));
        CountDownLatch answer = new CountDownLatch(1);
        Thread connecting = new Thread(() -> assertThrows(
                SQLException.class,
                () -> retries.connect(() -> {
                    tries.incrementAndGet();
                    await(answer);
                    throw password;
                })));
        connecting.start();
        while (tries.get() == 0 || retries.whyNone() == password) {
            Thread.sleep(1);
        }
        SQLException said = Objects.requireNonNull(retries.whyNone());
        assertTrue(said.toString().contains("the server has not answered for "), said.toString());
        answer.countDown();
        connecting.join();
        assertSame(password, retries.whyNone(), "and when it has answered, its answer is");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
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
            while (retries.whyNone() == null) {
                LockSupport.parkNanos(1_000_000);
            }
            ServerAwayException said = assertThrows(ServerAwayException.class, connections::borrow);
            assertTrue(said.toString().contains("127.0.0.1:1"), said.toString());
        }
    }
}
