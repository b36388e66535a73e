package dev.outbox.relay;

import dev.outbox.Delivery;
import dev.outbox.Receipt;
import dev.outbox.internal.Quietly;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Puts into SLF4J's {@link MDC} which message a publisher is called for. So the log lines of the publisher, and of the
 * broker's client on the same thread, say it. Give it to {@link Relay.Builder#around}.
 *
 * <p>When the call has returned, the keys are as they were before. An asynchronous publisher may log later, on other
 * threads: those have no such keys. What an MDC throws is logged, and changes nothing for the message. Safe for use by
 * several threads.
 */
public final class LogContext implements PublishInterceptor {
    private static final Quietly QUIETLY = new Quietly(
            "dev.outbox.relay",
            "[OUTBOX-122] The log context of a message failed. The message is published nevertheless, and its outcome"
                    + " counts");

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
        String topic = before(TOPIC);
        String partition = before(PARTITION);
        String id = before(ID);
        set(TOPIC, delivery.topic());
        set(PARTITION, Integer.toString(delivery.partition()));
        set(ID, delivery.id());
        try {
            return call.proceed();
        } finally {
            set(TOPIC, topic);
            set(PARTITION, partition);
            set(ID, id);
        }
    }

    private static @Nullable String before(String key) {
        return QUIETLY.get(() -> MDC.get(key));
    }

    private static void set(String key, @Nullable String value) {
        QUIETLY.run(() -> {
            if (value == null) {
                MDC.remove(key);
            } else {
                MDC.put(key, value);
            }
        });
    }
}
