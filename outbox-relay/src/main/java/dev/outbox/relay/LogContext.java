package dev.outbox.relay;

import dev.outbox.Delivery;
import dev.outbox.Receipt;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Puts into SLF4J's {@link MDC} which message a publisher is called for. So the log lines of the publisher, and of the
 * broker's client on the same thread, say it. Given to {@link Relay.Builder#around}, it costs less than a microsecond
 * for each message.
 *
 * <p>When the call has returned, the keys are as they were before. An asynchronous publisher may log later, on other
 * threads: those have no such keys. Safe for use by several threads.
 */
public final class LogContext implements PublishInterceptor {
    /** The key for the topic. */
    public static final String TOPIC = "outbox.topic";

    /** The key for the partition. */
    public static final String PARTITION = "outbox.partition";

    /** The key for the id of the message. */
    public static final String ID = "outbox.id";

    /** The keys are the same for all. */
    public LogContext() {}

    @Override
    public CompletionStage<Receipt> around(Delivery<?> delivery, Call call) throws Exception {
        String topic = MDC.get(TOPIC);
        String partition = MDC.get(PARTITION);
        String id = MDC.get(ID);
        MDC.put(TOPIC, delivery.topic());
        MDC.put(PARTITION, Integer.toString(delivery.partition()));
        MDC.put(ID, delivery.id());
        try {
            return call.proceed();
        } finally {
            set(TOPIC, topic);
            set(PARTITION, partition);
            set(ID, id);
        }
    }

    private static void set(String key, @Nullable String before) {
        if (before == null) {
            MDC.remove(key);
        } else {
            MDC.put(key, before);
        }
    }
}
