package dev.outbox.tck.memory;

import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import dev.outbox.StoreException;
import dev.outbox.spi.Outcome;
import dev.outbox.store.memory.internal.MemoryState;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/** Stores that do not remember failures as they should. */
final class BrokenRetries {
    static final List<Broken> ALL = List.of(
            Broken.outbox("counts no attempts", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            super.settle(
                                    hold,
                                    outcomes.stream()
                                            .filter(outcome -> !(outcome instanceof Outcome.Failed))
                                            .toList());
                        }
                    })
                    .breaks(
                            "OBX-BROWSE-1",
                            "OBX-CLOSE-1",
                            "OBX-DEAD-1",
                            "OBX-DEAD-2",
                            "OBX-FIND-1",
                            "OBX-LIFE-3",
                            "OBX-OPS-2",
                            "OBX-OPS-3",
                            "OBX-OPS-5",
                            "OBX-RELAY-1",
                            "OBX-RETRY-1",
                            "OBX-RETRY-2",
                            "OBX-RETRY-3",
                            "OBX-RETRY-6"),
            Broken.client("counts attempts in the client", store -> new PassingStore(store) {
                        private final Map<String, Integer> attempts = new ConcurrentHashMap<>();

                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new RewrittenBatch(
                                    batch, m -> attempts(m, Objects.requireNonNull(attempts.getOrDefault(m.id(), 0)))) {
                                @Override
                                public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
                                    super.markFailed(message, reason, retryAfter);
                                    attempts.merge(message.id(), 1, Integer::sum);
                                }
                            };
                        }
                    })
                    .breaks("OBX-LIFE-3", "OBX-OPS-6", "OBX-RETRY-1"),
            Broken.outbox("counts a release as an attempt", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            super.settle(hold, outcomes);
                            hold.positions.forEach((partition, positions) -> positions.forEach(position -> {
                                PersistedMessage left = partition.messages.get(position);
                                if (left != null
                                        && outcomes.stream()
                                                .noneMatch(outcome ->
                                                        outcome.message().id().equals(left.id()))) {
                                    partition.messages.put(position, attempts(left, left.attempts() + 1));
                                }
                            }));
                        }
                    })
                    .breaks("OBX-OPS-2", "OBX-OPS-3", "OBX-RELAY-1", "OBX-RETRY-1", "OBX-RETRY-2"),
            Broken.outbox("ignores delays", () -> new MemoryState() {
                        @Override
                        public boolean isReady(Partition partition) {
                            return partition.holder == null && !partition.messages.isEmpty();
                        }
                    })
                    .breaks(
                            "OBX-FIND-1",
                            "OBX-CLOSE-1",
                            "OBX-LIFE-3",
                            "OBX-OPS-2",
                            "OBX-OPS-3",
                            "OBX-RETRY-2",
                            "OBX-RETRY-3"),
            Broken.outbox("lets the last delay count", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            Duration last = outcomes.stream()
                                    .filter(Outcome.Failed.class::isInstance)
                                    .map(failed -> ((Outcome.Failed) failed).retryAfter())
                                    .reduce(Duration.ZERO, (before, after) -> after);
                            super.settle(hold, delayed(outcomes, delay -> last));
                        }
                    })
                    .breaks("OBX-CLOSE-1", "OBX-LIFE-3", "OBX-RETRY-3"),
            Broken.outbox("never waits for less than a tenth of a second", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            super.settle(hold, delayed(outcomes, delay -> delay.plusMillis(100)));
                        }
                    })
                    .breaks("OBX-CLOSE-1", "OBX-OPS-2", "OBX-RETRY-4"),
            Broken.outbox("delays the whole topic", () -> new MemoryState() {
                        private final Map<String, Partition> failing = new HashMap<>();

                        @Override
                        public boolean isReady(Partition partition) {
                            Partition first = failing.get(partition.name.topic());
                            if (first != null && first.failure != null && first != partition) {
                                return super.isReady(partition) && !now().isBefore(first.failure.nextAttempt());
                            }
                            if (partition.failure != null) {
                                failing.put(partition.name.topic(), partition);
                            }
                            return super.isReady(partition);
                        }
                    })
                    .breaks(
                            "OBX-BROWSE-1",
                            "OBX-FIND-1",
                            "OBX-CLOSE-1",
                            "OBX-LIMIT-3",
                            "OBX-OPS-5",
                            "OBX-OPS-6",
                            "OBX-RETRY-5"),
            Broken.client("refuses a reason with NUL", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new PassingBatch(batch) {
                                @Override
                                public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
                                    if (reason.indexOf(0) >= 0) {
                                        throw new StoreException("invalid byte sequence");
                                    }
                                    super.markFailed(message, reason, retryAfter);
                                }
                            };
                        }
                    })
                    .breaks("OBX-RETRY-6"));

    private BrokenRetries() {}

    private static PersistedMessage attempts(PersistedMessage m, int attempts) {
        return new PersistedMessage(
                m.id(), m.topic(), m.partition(), m.key(), m.headers(), m.payload(), attempts, m.createdAt());
    }

    private static List<Outcome> delayed(List<Outcome> outcomes, UnaryOperator<Duration> delays) {
        return outcomes.stream()
                .map(outcome -> outcome instanceof Outcome.Failed failed
                        ? new Outcome.Failed(failed.message(), failed.reason(), delays.apply(failed.retryAfter()))
                        : outcome)
                .toList();
    }
}
