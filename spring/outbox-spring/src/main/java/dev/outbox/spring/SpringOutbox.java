package dev.outbox.spring;

import dev.outbox.MisuseException;
import dev.outbox.Outbox;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.Topic;
import dev.outbox.TransactionalPublisher;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * An outbox in a database whose transactions Spring manages: the publishers that it makes write in the transaction that
 * the calling thread is in, or refuse. {@link SpringJdbcOutbox} and {@link SpringMongoOutbox} make one. Safe for use by
 * several threads.
 */
public final class SpringOutbox {
    private final OutboxTransactions transactions;
    private final Object resource;
    private final String what;
    private final PersistFunc persist;
    private final List<Runnable> wakeUps = new CopyOnWriteArrayList<>();

    /**
     * @param resource what transaction managers bind connections of the database to
     * @param what what that is, for texts
     * @param persist writes in the transaction of the current thread, if there is one
     */
    SpringOutbox(OutboxTransactions transactions, Object resource, String what, PersistFunc persist) {
        this.transactions = transactions;
        this.resource = resource;
        this.what = what;
        this.persist = persist;
        transactions.know(resource);
    }

    /** A publisher for a topic; {@link OutboxPublisher} says what it refuses. */
    public <T> OutboxPublisher<T> publisher(Topic<T> topic) {
        TransactionalPublisher<T> bound = Outbox.bind(topic, new Checked());
        return new OutboxPublisher<>() {
            @Override
            public String publish(T message) {
                return bound.publish(message);
            }

            @Override
            public List<String> publishAll(List<? extends T> messages) {
                return bound.publishAll(messages);
            }

            @Override
            public String toString() {
                return "OutboxPublisher[" + topic.name() + "]";
            }
        };
    }

    /**
     * Runs something after each commit of a transaction in which messages were published, once for each transaction. It
     * also runs after a commit with an unknown outcome. It runs on the thread of the transaction, so it should be
     * quick. An {@link OutboxRelay} is told by itself.
     */
    public void onCommit(Runnable wakeUp) {
        wakeUps.add(Objects.requireNonNull(wakeUp, "wakeUp"));
    }

    void wakeUp() {
        wakeUps.forEach(Runnable::run);
    }

    /** The transaction of the current thread, in which messages of this outbox can be written. */
    private WatchedTransaction require(String topic) {
        if (!TransactionSynchronizationManager.isActualTransactionActive()) {
            throw refusal(
                    topic,
                    ", because there is no transaction on this thread. Publish in a method with"
                            + " @Transactional that another bean calls, or in TransactionTemplate.execute. A call within one"
                            + " class does not go through Spring's proxy, so it begins no transaction, and a thread that the"
                            + " transaction has started, as by @Async, has no part in it.");
        }
        String name = name(TransactionSynchronizationManager.getCurrentTransactionName());
        WatchedTransaction current = transactions.current();
        if (!TransactionSynchronizationManager.isSynchronizationActive() || (current != null && current.hasEnded())) {
            throw refusal(
                    topic,
                    ", because the transaction" + name + " has ended, or its commit has begun (as in an"
                            + " entity listener during the flush), and then the outbox does not see whether the message"
                            + " would be committed. A listener that runs after the commit publishes in a transaction of"
                            + " its own: @Transactional(propagation = Propagation.REQUIRES_NEW). To publish in the"
                            + " transaction that ends, use @EventListener or TransactionPhase.BEFORE_COMMIT, or call"
                            + " EntityManager.flush() before the method returns.");
        }
        if (current == null) {
            throw refusal(
                    topic,
                    ", because the transaction" + name + " was begun by a transaction manager that"
                            + " the outbox does not watch, so it cannot see when the transaction ends. Make the transaction"
                            + " manager a bean of the application context that has the bean OutboxTransactions, or call"
                            + " OutboxTransactions.watch(transactionManager).");
        }
        if (!current.isOf(resource)) {
            throw refusal(
                    topic,
                    ", because the transaction" + name + " is none of the outbox's database: its"
                            + " transaction manager has bound no connection of " + what
                            + ". If there are several transaction"
                            + " managers, name the one of that database, as in @Transactional(\"ordersTransactionManager\").");
        }
        if (TransactionSynchronizationManager.isCurrentTransactionReadOnly()) {
            throw refusal(
                    topic,
                    ", because the transaction" + name + " is read-only, and publishing writes."
                            + " Take readOnly = true away, or publish in a method with"
                            + " @Transactional(propagation = Propagation.REQUIRES_NEW).");
        }
        return current;
    }

    private static MisuseException refusal(String topic, String reason) {
        return new MisuseException("No message was published to topic " + topic + reason);
    }

    private static String name(@Nullable String name) {
        return name == null ? "" : " " + name;
    }

    @Override
    public String toString() {
        return "SpringOutbox[" + what + "]";
    }

    private final class Checked implements PersistFunc {
        @Override
        public String persist(OutgoingMessage message) {
            WatchedTransaction current = require(message.topic());
            String id = persist.persist(message);
            current.wroteTo(SpringOutbox.this);
            return id;
        }

        @Override
        public List<String> persistAll(List<OutgoingMessage> messages) {
            if (messages.isEmpty()) {
                return List.of();
            }
            WatchedTransaction current = require(messages.get(0).topic());
            List<String> ids = persist.persistAll(messages);
            current.wroteTo(SpringOutbox.this);
            return ids;
        }
    }
}
