package dev.outbox.spring;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.transaction.ConfigurableTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionExecution;
import org.springframework.transaction.TransactionExecutionListener;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Sees when transactions of Spring begin and when their commit begins. Spring itself shows a transaction as active
 * until after its last callback, and a connection without auto-commit takes messages after the commit that no one
 * commits. So outboxes ask this class, and refuse what would be lost.
 *
 * <p>As a bean it watches every transaction manager of its application context:
 *
 * <pre>{@code
 * @Bean
 * static OutboxTransactions outboxTransactions() {
 *     return new OutboxTransactions();
 * }
 * }</pre>
 *
 * <p>Without an application context, call {@link #watch}. Safe for use by several threads.
 */
public final class OutboxTransactions implements BeanPostProcessor {
    private final TransactionExecutionListener listener = new Listener();

    /** What transaction managers bind the connections of the outboxes to: data sources, factories of databases. */
    private final Set<Object> resources = new CopyOnWriteArraySet<>();

    /** Watches no transaction manager yet. */
    public OutboxTransactions() {}

    /**
     * Watches the transactions that a transaction manager begins from now on. Watching it again changes nothing. The
     * managers of Spring Framework and Spring Data can all be watched.
     */
    public void watch(ConfigurableTransactionManager manager) {
        Collection<TransactionExecutionListener> present = manager.getTransactionExecutionListeners();
        if (!present.contains(listener)) {
            List<TransactionExecutionListener> more = new ArrayList<>(present); // which may be unmodifiable
            more.add(listener);
            manager.setTransactionExecutionListeners(more);
        }
    }

    /** Watches the bean if it is a transaction manager. */
    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (bean instanceof PlatformTransactionManager && bean instanceof ConfigurableTransactionManager manager) {
            watch(manager);
        }
        return bean;
    }

    /** From now on transactions tell whether they have bound something to this resource. */
    void know(Object resource) {
        resources.add(resource);
    }

    /** The transaction of the current thread, if a manager that is watched has begun it. */
    @Nullable
    WatchedTransaction current() {
        return (WatchedTransaction) TransactionSynchronizationManager.getResource(this);
    }

    private Map<Object, Object> bound() {
        Map<Object, Object> bound = new HashMap<>();
        for (Object resource : resources) {
            Object holder = TransactionSynchronizationManager.getResource(resource);
            if (holder != null) {
                bound.put(resource, holder);
            }
        }
        return bound;
    }

    private final class Listener implements TransactionExecutionListener {
        /** What was bound when a transaction was about to begin is bound by this, until the transaction has begun. */
        private final Object before = new Object();

        @Override
        public void beforeBegin(TransactionExecution transaction) {
            if (transaction.isNewTransaction()) {
                Map<Object, Object> bound = bound();
                TransactionSynchronizationManager.unbindResourceIfPossible(before);
                TransactionSynchronizationManager.bindResource(before, bound);
            }
        }

        /**
         * Only what was bound in between is of this transaction. Another manager's transaction may be open around it,
         * and what that one has bound stays bound.
         */
        @Override
        public void afterBegin(TransactionExecution transaction, @Nullable Throwable failure) {
            if (!transaction.isNewTransaction()) {
                return; // a savepoint, or part of a transaction that has begun
            }
            Map<?, ?> earlier = (Map<?, ?>) TransactionSynchronizationManager.unbindResourceIfPossible(before);
            if (failure == null && TransactionSynchronizationManager.isSynchronizationActive()) {
                Set<Object> own = bound().entrySet().stream()
                        .filter(entry -> earlier == null || earlier.get(entry.getKey()) != entry.getValue())
                        .map(Map.Entry::getKey)
                        .collect(Collectors.toSet());
                new WatchedTransaction(OutboxTransactions.this, own).begin();
            }
        }

        /** After every callback that may still write, and immediately before the commit itself. */
        @Override
        public void beforeCommit(TransactionExecution transaction) {
            WatchedTransaction current = current();
            if (transaction.isNewTransaction() && current != null) {
                current.end();
            }
        }
    }
}
