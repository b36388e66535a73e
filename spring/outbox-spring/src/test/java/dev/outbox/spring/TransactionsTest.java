package dev.outbox.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codecs;
import dev.outbox.MisuseException;
import dev.outbox.Topic;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.LazyConnectionDataSourceProxy;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.AbstractPlatformTransactionManager;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Every message is of the transaction of its thread, or is refused; on pools with auto-commit and without. */
@ParameterizedClass
@ValueSource(booleans = {true, false})
class TransactionsTest {
    private final Database database;
    private final OutboxTransactions transactions = new OutboxTransactions();
    private final JdbcTransactionManager manager;
    private final SpringOutbox outbox;
    private final OutboxPublisher<String> orders;

    TransactionsTest(boolean autoCommit) {
        database = new Database(autoCommit);
        manager = new JdbcTransactionManager(database.pool);
        transactions.watch(manager);
        outbox = SpringJdbcOutbox.of(transactions, database.pool);
        orders = outbox.publisher(topic());
    }

    @AfterEach
    void close() {
        database.close();
    }

    @Test
    void aMessageIsThereIfAndOnlyIfItsTransactionCommits() {
        required(() -> place("committed"));
        assertThrows(
                RolledBack.class,
                () -> required(() -> {
                    place("rolled back");
                    throw new RolledBack();
                }));
        manager(TransactionDefinition.PROPAGATION_REQUIRED).executeWithoutResult(status -> {
            place("rollback only");
            status.setRollbackOnly();
        });
        assertEquals(List.of("committed"), database.messages());
        assertEquals(List.of("committed"), database.orders());
    }

    @Test
    void severalMessagesAreWrittenTogether() {
        required(() -> assertEquals(2, orders.publishAll(List.of("one", "two")).size()));
        assertEquals(List.of("one", "two"), database.messages());
    }

    @Test
    void withoutATransactionItIsRefused() {
        refused("there is no transaction on this thread", () -> orders.publish("lost"));
        refused("there is no transaction on this thread", () -> orders.publishAll(List.of("lost")));
        manager(TransactionDefinition.PROPAGATION_SUPPORTS)
                .executeWithoutResult(
                        status -> refused("there is no transaction on this thread", () -> orders.publish("lost")));
        required(() -> manager(TransactionDefinition.PROPAGATION_NOT_SUPPORTED)
                .executeWithoutResult(
                        status -> refused("there is no transaction on this thread", () -> orders.publish("lost"))));
        assertEquals(List.of(), database.messages());
    }

    @Test
    void aThreadThatTheTransactionStartsHasNoPartInIt() throws Exception {
        List<MisuseException> thrown = new ArrayList<>();
        required(() -> {
            Thread other = new Thread(
                    () -> thrown.add(assertThrows(MisuseException.class, () -> orders.publish("of no transaction"))));
            other.start();
            join(other);
        });
        assertEquals(1, thrown.size());
        assertEquals(List.of(), database.messages());
    }

    @Test
    void inAReadOnlyTransactionItIsRefused() {
        TransactionTemplate readOnly = manager(TransactionDefinition.PROPAGATION_REQUIRED);
        readOnly.setReadOnly(true);
        readOnly.setName("Shop.report");
        readOnly.executeWithoutResult(status -> {
            refused("the transaction Shop.report is read-only", () -> orders.publish("lost"));
            required(() -> refused("the transaction Shop.report is read-only", () -> orders.publish("lost")));
            requiresNew(() -> place("of its own"));
        });
        assertEquals(List.of("of its own"), database.messages());
    }

    @Test
    void aReadOnlyPartOfATransactionThatWritesIsOfTheTransaction() {
        TransactionTemplate readOnly = manager(TransactionDefinition.PROPAGATION_REQUIRED);
        readOnly.setReadOnly(true);
        required(() -> readOnly.executeWithoutResult(status -> place("read-only, joined")));
        assertEquals(List.of("read-only, joined"), database.messages());
    }

    @Test
    void afterTheCommitItIsRefused() {
        callback(new TransactionSynchronization() {
            @Override
            public void afterCommit() {
                refused("has ended", () -> orders.publish("lost"));
                requiresNew(() -> place("in afterCommit, of its own"));
                refused("has ended", () -> orders.publish("lost"));
            }

            @Override
            public void afterCompletion(int status) {
                refused("has ended", () -> orders.publish("lost"));
                requiresNew(() -> place("in afterCompletion, of its own"));
                refused("there is no transaction", () -> orders.publish("lost")); // as Spring has it from here on
            }
        });
        assertEquals(List.of("in afterCommit, of its own", "in afterCompletion, of its own"), database.messages());
    }

    @Test
    void afterTheCommitItIsAlsoRefusedIfMessagesWereWrittenBefore() {
        AtomicInteger refused = new AtomicInteger();
        required(() -> {
            place("before");
            TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                @Override
                public void afterCommit() {
                    refused("has ended", () -> orders.publish("lost"));
                    refused.incrementAndGet();
                }
            });
        });
        assertEquals(1, refused.get());
        assertEquals(List.of("before"), database.messages());
    }

    @Test
    void beforeTheCommitItIsOfTheTransaction() {
        callback(new TransactionSynchronization() {
            @Override
            public void beforeCommit(boolean readOnly) {
                place("1 in beforeCommit");
            }

            @Override
            public void beforeCompletion() {
                place("2 in beforeCompletion");
            }
        });
        assertEquals(List.of("1 in beforeCommit", "2 in beforeCompletion"), database.messages());
        assertEquals(List.of("1 in beforeCommit", "2 in beforeCompletion"), database.orders());
    }

    @Test
    void aNewTransactionInsideAnotherIsForItself() {
        required(() -> {
            place("outer 1");
            assertThrows(
                    RolledBack.class,
                    () -> requiresNew(() -> {
                        place("inner, rolled back");
                        throw new RolledBack();
                    }));
            place("outer 2");
        });
        assertThrows(
                RolledBack.class,
                () -> required(() -> {
                    place("outer, rolled back");
                    requiresNew(() -> place("inner"));
                    throw new RolledBack();
                }));
        assertEquals(List.of("outer 1", "outer 2", "inner"), database.messages());
    }

    @Test
    void aSavepointThatIsRolledBackTakesItsMessagesAway() {
        required(() -> {
            place("1 before");
            manager(TransactionDefinition.PROPAGATION_NESTED).executeWithoutResult(status -> place("2 nested"));
            assertThrows(
                    RolledBack.class,
                    () -> manager(TransactionDefinition.PROPAGATION_NESTED).executeWithoutResult(status -> {
                        place("rolled back");
                        throw new RolledBack();
                    }));
            place("3 after");
        });
        assertEquals(List.of("1 before", "2 nested", "3 after"), database.messages());
        assertEquals(List.of("1 before", "2 nested", "3 after"), database.orders());
    }

    @Test
    void aTransactionOfAnotherDatabaseIsRefused() {
        try (Database other = new Database(database.pool.isAutoCommit())) {
            JdbcTransactionManager others = new JdbcTransactionManager(other.pool);
            transactions.watch(others);
            TransactionTemplate there = new TransactionTemplate(others);
            there.executeWithoutResult(status ->
                    refused("is none of the outbox's database", () -> orders.publish("nothing here would commit it")));
            required(() -> {
                place("1 before");
                there.executeWithoutResult(status ->
                        refused("is none of the outbox's database", () -> orders.publish("of the outer transaction")));
                place("2 after");
            });
        }
        assertEquals(List.of("1 before", "2 after"), database.messages());
    }

    @Test
    void aTransactionOfAManagerThatIsNotWatchedIsRefused() {
        new TransactionTemplate(new DataSourceTransactionManager(database.pool))
                .executeWithoutResult(
                        status -> refused("that the outbox does not watch", () -> orders.publish("not seen")));
        assertEquals(List.of(), database.messages());
    }

    @Test
    void insideAnotherTransactionItIsRefusedToo() {
        TransactionTemplate notWatched = new TransactionTemplate(new DataSourceTransactionManager(database.pool));
        notWatched.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        required(() -> {
            place("1 before");
            notWatched.executeWithoutResult(
                    status -> refused("that the outbox does not watch", () -> orders.publish("not seen")));
            place("2 after");
        });
        assertEquals(List.of("1 before", "2 after"), database.messages());
    }

    @Test
    void aManagerIsWatchedOnceAndKeepsItsListeners() {
        manager.setTransactionExecutionListeners(List.copyOf(manager.getTransactionExecutionListeners()));
        transactions.postProcessAfterInitialization(manager, "manager");
        assertEquals(1, manager.getTransactionExecutionListeners().size());
    }

    @Test
    void withoutSynchronizationItIsRefused() {
        manager.setTransactionSynchronization(AbstractPlatformTransactionManager.SYNCHRONIZATION_NEVER);
        required(() -> refused("there is no transaction on this thread", () -> orders.publish("not seen")));
        assertEquals(List.of(), database.messages());
    }

    @Test
    void aTransactionAwareProxyIsSeenThrough() {
        OutboxPublisher<String> over = SpringJdbcOutbox.of(
                        transactions,
                        new TransactionAwareDataSourceProxy(new TransactionAwareDataSourceProxy(database.pool)))
                .publisher(topic());
        required(() -> over.publish("over a proxy"));
        refused("there is no transaction", () -> over.publish("lost"));
        assertEquals(List.of("over a proxy"), database.messages());
    }

    @Test
    void aLazyConnectionIsOfTheTransaction() {
        LazyConnectionDataSourceProxy lazy = new LazyConnectionDataSourceProxy(database.pool);
        JdbcTransactionManager lazily = new JdbcTransactionManager(lazy);
        transactions.watch(lazily);
        OutboxPublisher<String> over = SpringJdbcOutbox.of(transactions, lazy).publisher(topic());
        new TransactionTemplate(lazily).executeWithoutResult(status -> over.publish("lazy"));
        assertThrows(
                RolledBack.class,
                () -> new TransactionTemplate(lazily).executeWithoutResult(status -> {
                    over.publish("lazy, rolled back");
                    throw new RolledBack();
                }));
        assertEquals(List.of("lazy"), database.messages());
    }

    @Test
    void eachTransactionWithMessagesWakesTheRelayUpOnce() {
        AtomicInteger wakeUps = new AtomicInteger();
        outbox.onCommit(() -> {
            assertTrue(!database.messages().isEmpty(), "the messages are committed");
            wakeUps.incrementAndGet();
        });
        required(() -> {
            place("1");
            place("2");
            orders.publishAll(List.of("3", "4"));
            manager(TransactionDefinition.PROPAGATION_NESTED).executeWithoutResult(status -> place("5"));
        });
        assertEquals(1, wakeUps.get());
        required(() -> {
            place("6");
            requiresNew(() -> place("7"));
            assertEquals(2, wakeUps.get(), "the inner one has committed");
        });
        assertEquals(3, wakeUps.get());
        required(() -> orders.publishAll(List.of()));
        assertThrows(
                RolledBack.class,
                () -> required(() -> {
                    place("rolled back");
                    throw new RolledBack();
                }));
        assertEquals(3, wakeUps.get(), "there is nothing to publish");
    }

    private static Topic<String> topic() {
        return Topic.builder("orders", Codecs.text()).build();
    }

    private void place(String number) {
        new JdbcTemplate(database.pool).update("insert into orders values (?)", number);
        orders.publish(number);
    }

    /** Runs a transaction with a callback and sees that all of it was called, because Spring logs some failures only. */
    private void callback(TransactionSynchronization callback) {
        List<Throwable> failures = new ArrayList<>();
        required(() -> TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
            @Override
            public void beforeCommit(boolean readOnly) {
                tried(() -> callback.beforeCommit(readOnly), failures);
            }

            @Override
            public void beforeCompletion() {
                tried(callback::beforeCompletion, failures);
            }

            @Override
            public void afterCommit() {
                tried(callback::afterCommit, failures);
            }

            @Override
            public void afterCompletion(int status) {
                tried(() -> callback.afterCompletion(status), failures);
            }
        }));
        assertEquals(List.of(), failures);
    }

    private static void tried(Runnable work, List<Throwable> failures) {
        try {
            work.run();
        } catch (Throwable e) {
            failures.add(e);
        }
    }

    private static void refused(String reason, Runnable publish) {
        MisuseException thrown = assertThrows(MisuseException.class, publish::run);
        assertTrue(thrown.getMessage().contains("No message was published to topic orders"), thrown.getMessage());
        assertTrue(thrown.getMessage().contains(reason), thrown.getMessage());
    }

    private void required(Runnable work) {
        manager(TransactionDefinition.PROPAGATION_REQUIRED).executeWithoutResult(status -> work.run());
    }

    private void requiresNew(Runnable work) {
        manager(TransactionDefinition.PROPAGATION_REQUIRES_NEW).executeWithoutResult(status -> work.run());
    }

    private TransactionTemplate manager(int propagation) {
        TransactionTemplate template = new TransactionTemplate(manager);
        template.setPropagationBehavior(propagation);
        return template;
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static final class RolledBack extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }
}
