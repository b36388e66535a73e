package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.processes.Await;
import dev.outbox.store.jooq.internal.close.JdbcBatch;
import dev.outbox.store.jooq.internal.connection.BorrowedConnection;
import dev.outbox.store.jooq.internal.connection.Connections;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import dev.outbox.store.jooq.internal.dialect.LastAnswer;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What closing a store does with connections that other threads are using, to the moment. */
@Timeout(300)
class H2ClosingTest {
    private static final String ADDRESS = "jdbc:h2:mem:closing;DB_CLOSE_DELAY=-1";
    private static final Duration SILENCE = LastAnswer.silence;

    /** Calls of connections in order: their names, those that end connections with that of their thread. */
    private final List<String> called = new CopyOnWriteArrayList<>();

    /** At the next call of this name the thread waits, or fails. */
    private @Nullable String stop;

    private Runnable onStop = () -> {};

    private final DataSource pool = (DataSource) Proxy.newProxyInstance(
            H2ClosingTest.class.getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, arguments) -> switch (method.getName()) {
                case "getConnection" -> observed(DriverManager.getConnection(ADDRESS));
                case "isWrapperFor" -> false;
                default -> throw new UnsupportedOperationException(method.getName());
            });

    /** An abort is only noted, as if it came at the last moment. */
    private Connection observed(Connection connection) {
        return (Connection) Proxy.newProxyInstance(
                H2ClosingTest.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    String name = method.getName();
                    called.add(
                            name.equals("abort")
                                    ? "abort by " + Thread.currentThread().getName()
                                    : name);
                    if (name.equals("abort")) {
                        return null;
                    }
                    try {
                        Object result = method.invoke(connection, arguments);
                        if (name.equals(stop)) {
                            stop = null;
                            onStop.run();
                        }
                        return result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @BeforeEach
    void create() {
        new H2Harness().open(ADDRESS).close();
    }

    @AfterEach
    void drop() throws Exception {
        LastAnswer.silence = SILENCE;
        try (Connection connection = DriverManager.getConnection(ADDRESS);
                Statement statement = connection.createStatement()) {
            statement.execute("SHUTDOWN");
        }
    }

    private static void commit(int partition) throws Exception {
        try (Connection connection = DriverManager.getConnection(ADDRESS)) {
            connection.setAutoCommit(false);
            JdbcOutbox.persist(connection).persist(StoreTest.message(partition, "a"));
            connection.commit();
        }
    }

    private static JdbcBatch checkout(Store store, int partition) throws Exception {
        commit(partition);
        JdbcBatch batch = (JdbcBatch) store.checkout(Set.of(StoreTest.TOPIC), 10);
        assertEquals(1, batch.messages().size());
        return batch;
    }

    private static void awaitState(Thread thread, Thread.State... states) {
        while (!List.of(states).contains(thread.getState())) {
            LockSupport.parkNanos(100_000);
        }
    }

    private static void awaitNoAbort() throws InterruptedException {
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().equals("outbox-abort")) {
                thread.join();
            }
        }
    }

    private BorrowedConnection borrow() throws Exception {
        return Connections.of(pool, Dialects.H2).borrow();
    }

    @Test
    void whatIsAbortedDoesNotGoBackAsIfItWereAlive() throws Exception {
        BorrowedConnection borrowed = borrow();
        borrowed.abortForOthers();
        borrowed.close();
        awaitNoAbort();
        assertTrue(called.contains("abort by " + Thread.currentThread().getName()), () -> "ended: " + called);
        assertEquals("close", called.get(called.size() - 1));
    }

    @Test
    void whatWentBackIsNotAborted() throws Exception {
        BorrowedConnection borrowed = borrow();
        borrowed.close();
        borrowed.abortForOthers();
        awaitNoAbort();
        assertEquals("close", called.get(called.size() - 1), () -> "what another may have borrowed: " + called);
    }

    /** Other batches have used up the time. A close that took longer than it is waited for shows nothing. */
    @Test
    void aCloseOfAServerThatAnswersIsWaitedForAfterTheDeadline() throws Exception {
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            long took;
            do {
                called.clear();
                took = closeWhileLost(checkout(store, 0));
            } while (called.contains("abort by outbox-abort") && took >= JdbcBatch.LEAST_PATIENCE_NANOS);
            assertFalse(called.contains("abort by outbox-abort"), () -> "healthy: " + called);
        }
    }

    /**
     * Closes a batch that is given up while its commit is under way, and returns for how long it went on after that,
     * in nanoseconds.
     */
    private long closeWhileLost(JdbcBatch batch) throws Exception {
        batch.markPublished(batch.messages().get(0), null);
        AtomicLong start = new AtomicLong();
        Thread losing = new Thread(() -> batch.lose(System.nanoTime() - 1));
        onStop = () -> {
            start.set(System.nanoTime());
            losing.start();
            awaitState(losing, Thread.State.TIMED_WAITING, Thread.State.TERMINATED);
            assertDoesNotThrow(H2ClosingTest::awaitNoAbort);
        };
        stop = "commit";
        batch.close();
        long took = System.nanoTime() - start.get();
        losing.join();
        awaitNoAbort();
        return took;
    }

    @Test
    void aBatchIsGivenUpThoughItsServerAnsweredJustBefore() throws Exception {
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            JdbcBatch batch = checkout(store, 0);
            LastAnswer.silence = Duration.ofMillis(12); // every isHeld asks
            CountDownLatch asked = new CountDownLatch(1);
            CountDownLatch goOn = new CountDownLatch(1);
            onStop = () -> {
                asked.countDown();
                assertDoesNotThrow(() -> goOn.await());
            };
            stop = "createStatement";
            AtomicReference<Boolean> held = new AtomicReference<>();
            Thread asking = new Thread(() -> held.set(batch.isHeld()));
            asking.start();
            asked.await();
            LastAnswer.silence = SILENCE;
            batch.lose(System.nanoTime() - 1);
            awaitNoAbort();
            goOn.countDown();
            asking.join();
            assertFalse(batch.isHeld(), "isHeld after the store has given the batch up");
            // By the thread that asked, or by that of the signs of life, which may have had the lock when this one was
            // done.
            Await.until(
                    "the connection to be given back",
                    () -> called.get(called.size() - 1).equals("close"));
        }
    }

    /** The answer is trusted for a twelfth of the silence, which is an hour here. */
    @Test
    void aBatchKnowsThatItHasItsHoldForAsLongAsAnAnswerIsTrusted() throws Exception {
        LastAnswer.silence = Duration.ofHours(12);
        long hour = Duration.ofHours(1).toNanos();
        JdbcBatch lost;
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            JdbcBatch batch = checkout(store, 0);
            assertTrue(batch.isHeldAt(System.nanoTime()));
            assertFalse(batch.isHeldAt(System.nanoTime() + hour), "an hour later");
            assertTrue(batch.isHeld());
            batch.markPublished(batch.messages().get(0), null);
            batch.close();
            assertFalse(batch.isHeldAt(System.nanoTime()), "after the close");
            lost = checkout(store, 1);
        }
        assertFalse(lost.isHeldAt(System.nanoTime()), "after the store was closed");
    }

    @Test
    void oneBatchThatCannotBeEndedIsGivenBackWithAllOthers() throws Exception {
        Store store = JdbcOutbox.store(pool, StoreOptions.defaults());
        List<JdbcBatch> batches = List.of(checkout(store, 0), checkout(store, 1), checkout(store, 2));
        called.clear();
        onStop = () -> {
            throw new AssertionError("no memory, say");
        };
        stop = "getNetworkTimeout";
        assertDoesNotThrow(store::close);
        batches.forEach(batch -> assertFalse(batch.isHeld()));
        assertEquals(3, called.stream().filter("close"::equals).count(), () -> "given back: " + called);
    }
}
