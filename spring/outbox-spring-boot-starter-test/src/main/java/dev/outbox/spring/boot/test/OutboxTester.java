package dev.outbox.spring.boot.test;

import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.OutboxListener;
import dev.outbox.OutgoingMessage;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.relay.PublishInterceptor;
import dev.outbox.relay.Relay;
import dev.outbox.relay.RoundResult;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Shows what an application has published in the test that runs. {@link AutoConfigureOutbox} makes it a bean. It knows
 * the topics that are beans, and forgets everything before each test. Safe for use by several threads, but it does not
 * tell tests apart that run at the same time in one application context.
 */
public final class OutboxTester {
    private final RecordingTopics recording;
    private final Store store;
    private final ObjectProvider<Topic<?>> topics;
    private final ObjectProvider<OutboxListener> listeners;
    private final ObjectProvider<PublishInterceptor> interceptors;

    OutboxTester(
            RecordingTopics recording,
            Store store,
            ObjectProvider<Topic<?>> topics,
            ObjectProvider<OutboxListener> listeners,
            ObjectProvider<PublishInterceptor> interceptors) {
        this.recording = recording;
        this.store = store;
        this.topics = topics;
        this.listeners = listeners;
        this.interceptors = interceptors;
    }

    /**
     * The messages that wait for a relay, in the order in which they were published. Those of transactions that are
     * still open are among them. Those of transactions that were rolled back are not.
     *
     * @param topic the bean
     * @return the messages as a consumer would read them, by the topic's codec
     */
    public <T> List<T> pending(Topic<T> topic) {
        return decoded(topic, recording.messages().pending(topic.name()));
    }

    /**
     * The messages that the publisher of the topic has taken, in that order.
     *
     * @param topic the bean
     * @return the messages as the publisher got them
     */
    public <T> List<T> published(Topic<T> topic) {
        return decoded(topic, recording.messages().published(topic.name()));
    }

    /**
     * Keys, headers, partitions and payloads of all messages, pending and published, in the order in which they were
     * written.
     *
     * @param topic the bean
     */
    public List<OutgoingMessage> written(Topic<?> topic) {
        return recording.messages().written(topic.name());
    }

    /**
     * Does now what a relay would do: publishes what is committed, until nothing is left. It also takes messages that
     * were in the database before the test, and does not show them.
     *
     * @return how many messages were published
     * @throws AssertionError if a publisher failed; the cause is what it has thrown
     * @throws MisuseException if the thread is in a transaction, because a relay sees only what is committed
     * @throws dev.outbox.StoreException if the store failed
     */
    public int drain() {
        if (TransactionSynchronizationManager.isActualTransactionActive()) {
            throw new MisuseException("A relay takes only messages that are committed, and the transaction of this test"
                    + " is open. Commit it by TestTransaction.flagForCommit() and TestTransaction.end(), or let the test"
                    + " run without a transaction.");
        }
        Failures failures = new Failures();
        Relay.Builder builder = Relay.builder(store).listener(failures);
        topics.orderedStream().forEach(builder::topic);
        listeners.orderedStream().forEach(builder::listener);
        interceptors.orderedStream().forEach(builder::around);
        Operations operations = Operations.of(store);
        topics.orderedStream().forEach(topic -> operations.retryNow(topic.name()));
        try (Relay relay = builder.build()) {
            int published = 0;
            RoundResult round;
            do {
                round = relay.processMessages(Relay.DEFAULT_BATCH_SIZE);
                if (round.storeError() != null) {
                    throw round.storeError();
                }
                failures.check();
                published += round.published();
            } while (round.metMessages());
            return published;
        }
    }

    /** Forgets what was published until now. It changes nothing in the database. Called before each test. */
    public void clear() {
        recording.messages().clear();
    }

    private static <T> List<T> decoded(Topic<T> topic, List<byte[]> payloads) {
        List<T> messages = new ArrayList<>();
        for (byte[] payload : payloads) {
            try {
                messages.add(topic.codec().decode(payload));
            } catch (Exception e) {
                throw new AssertionError("The codec of topic " + topic.name() + " cannot read what it has written.", e);
            }
        }
        return messages;
    }

    /** What publishers throw while messages are drained. */
    private static final class Failures implements OutboxListener {
        private volatile @Nullable AssertionError first;

        void check() {
            AssertionError failure = first;
            if (failure != null) {
                throw failure;
            }
        }

        private void saw(String topic, Throwable cause) {
            if (first == null) {
                first = new AssertionError("A message of topic " + topic + " could not be published: " + cause, cause);
            }
        }

        @Override
        public void failed(Failed event) {
            saw(event.message().topic(), event.cause());
        }

        @Override
        public void deadLettered(DeadLettered event) {
            saw(event.message().topic(), event.cause());
        }

        @Override
        public void leftOut(LeftOut event) {
            saw(event.topic(), event.cause());
        }
    }
}
