package dev.outbox.spring;

import java.util.LinkedHashSet;
import java.util.Set;
import org.springframework.core.Ordered;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * A transaction of the current thread, from after its begin to its end. While another transaction suspends it, it is
 * not bound to the thread. Used by that thread alone.
 */
final class WatchedTransaction implements TransactionSynchronization {
    private final OutboxTransactions key;
    private final Set<Object> resources;
    private final Set<SpringOutbox> written = new LinkedHashSet<>();
    private boolean ended;

    WatchedTransaction(OutboxTransactions key, Set<Object> resources) {
        this.key = key;
        this.resources = resources;
    }

    void begin() {
        TransactionSynchronizationManager.unbindResourceIfPossible(
                key); // one that ends, and whose callback begins this
        TransactionSynchronizationManager.bindResource(key, this);
        TransactionSynchronizationManager.registerSynchronization(this);
    }

    /** Whether its manager has bound a connection to this resource when it began. */
    boolean isOf(Object resource) {
        return resources.contains(resource);
    }

    /** What is written from now on would not be committed. */
    void end() {
        ended = true;
    }

    boolean hasEnded() {
        return ended;
    }

    /** Has the outbox woken up after the commit, once, however often this is called. */
    void wroteTo(SpringOutbox outbox) {
        written.add(outbox);
    }

    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }

    @Override
    public void suspend() {
        TransactionSynchronizationManager.unbindResourceIfPossible(key);
    }

    @Override
    public void resume() {
        TransactionSynchronizationManager.unbindResourceIfPossible(key);
        TransactionSynchronizationManager.bindResource(key, this);
    }

    /** A commit whose outcome is unknown may have taken effect. */
    @Override
    public void afterCompletion(int status) {
        if (TransactionSynchronizationManager.getResource(key) == this) {
            TransactionSynchronizationManager.unbindResource(key);
        }
        if (status != STATUS_ROLLED_BACK) {
            written.forEach(SpringOutbox::wakeUp);
        }
    }
}
