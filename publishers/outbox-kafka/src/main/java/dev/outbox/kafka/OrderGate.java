package dev.outbox.kafka;

import dev.outbox.Delivery;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Keeps messages of a partition from overtaking one that has failed. With several messages in flight, the caller may
 * start a message after an earlier one has failed and before it knows that. It then learns of the failure, and presents
 * the earlier message again. So after a failure, messages of the partition are refused until the message that failed
 * comes again.
 *
 * <p>The message that failed may not come again: another process may have published it, or it has become a dead letter.
 * Then the caller begins with a later message, is refused once, and presents the same message a second time. By then
 * it has learnt of every failure, so that message may pass.
 *
 * <p>Safe for use by several threads.
 */
final class OrderGate {
    /** A partition of the outbox. */
    private record Partition(String topic, int number) {
        static Partition of(Delivery<?> delivery) {
            return new Partition(delivery.topic(), delivery.partition());
        }
    }

    /** The message that failed, and those that were refused after it; changed only within the map. */
    private record Failed(String id, long order, Set<String> refused) {
        boolean lets(String next) {
            return next.equals(id) || !refused.add(next);
        }
    }

    private final Map<Partition, Failed> failed = new ConcurrentHashMap<>();

    /** Whether a message may be sent now; the id of the message that it would overtake, or null. */
    @Nullable
    String hindrance(Delivery<?> delivery) {
        if (failed.isEmpty()) {
            return null;
        }
        Failed left = failed.computeIfPresent(
                Partition.of(delivery), (partition, before) -> before.lets(delivery.id()) ? null : before);
        return left == null ? null : left.id();
    }

    /**
     * A message has failed and may come again. The one that was started first counts: a producer that ends reports its
     * messages in any order.
     */
    void close(Delivery<?> delivery, long order) {
        failed.merge(
                Partition.of(delivery),
                new Failed(delivery.id(), order, new HashSet<>()),
                (before, next) -> before.order() <= next.order()
                        ? before
                        : new Failed(next.id(), next.order(), before.refused()));
    }
}
