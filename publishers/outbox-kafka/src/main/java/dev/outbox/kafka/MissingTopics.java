package dev.outbox.kafka;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Topics of Kafka that a producer has waited for without success. A call of the producer waits for a topic that it does
 * not know, and its thread stands still meanwhile. So only one call in a while does, and others fail immediately. Safe
 * for use by several threads.
 */
final class MissingTopics {
    /** What was found, and until when it counts. */
    private record Finding(String text, long end) {}

    private final Map<String, Finding> missing = new ConcurrentHashMap<>();
    private final long memory;

    MissingTopics(Duration memory) {
        this.memory = memory.toNanos();
    }

    /** What a call has found a short while ago that waited for this topic, or null. */
    @Nullable
    String finding(String topic) {
        Finding finding = missing.get(topic);
        if (finding == null) {
            return null;
        }
        if (finding.end() - System.nanoTime() > 0) {
            return finding.text();
        }
        missing.remove(topic, finding);
        return null;
    }

    void add(String topic, String text) {
        missing.put(topic, new Finding(text, System.nanoTime() + memory));
    }
}
