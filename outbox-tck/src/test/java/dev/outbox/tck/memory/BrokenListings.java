package dev.outbox.tck.memory;

import dev.outbox.DeadLetter;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.PersistedMessage;
import dev.outbox.spi.Outcome;
import dev.outbox.store.memory.internal.MemoryState;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Stores whose lists are incomplete, or say wrong times and texts. */
final class BrokenListings {
    static final List<Broken> ALL = List.of(
            Broken.outbox("counts dead letters as waiting", () -> new MemoryState() {
                        @Override
                        public synchronized List<Backlog> backlog() {
                            return super.backlog().stream()
                                    .map(b -> new Backlog(
                                            b.topic(),
                                            b.partition(),
                                            b.pending()
                                                    + deadLetters(b.topic(), null, 1_000).stream()
                                                            .filter(d ->
                                                                    d.message().partition() == b.partition())
                                                            .count(),
                                            b.oldestAge()))
                                    .toList();
                        }
                    })
                    .breaks("OBX-OPS-1", "OBX-OPS-2"),
            Broken.outbox("takes every message for new", () -> new MemoryState() {
                        @Override
                        public synchronized List<Backlog> backlog() {
                            return super.backlog().stream()
                                    .map(b -> new Backlog(b.topic(), b.partition(), b.pending(), Duration.ZERO))
                                    .toList();
                        }
                    })
                    .breaks("OBX-OPS-1"),
            Broken.outbox("lists a hundred failing partitions", () -> new MemoryState() {
                        @Override
                        public synchronized List<FailingPartition> failingPartitions() {
                            return super.failingPartitions().stream().limit(100).toList();
                        }
                    })
                    .breaks("OBX-OPS-2"),
            Broken.outbox("forgets that a later message has failed, too", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            Map<Partition, Long> before = new HashMap<>();
                            for (Partition partition : hold.positions.keySet()) {
                                before.put(partition, partition.failure == null ? -1L : partition.failure.position());
                            }
                            super.settle(hold, outcomes);
                            if (outcomes.stream().anyMatch(Outcome.Failed.class::isInstance)) {
                                return;
                            }
                            before.forEach((partition, position) -> {
                                if (partition.failure != null && partition.failure.position() != position) {
                                    partition.failure = null;
                                }
                            });
                        }
                    })
                    .breaks("OBX-OPS-2"),
            Broken.outbox("says that it tries again now", () -> new MemoryState() {
                        @Override
                        public synchronized List<FailingPartition> failingPartitions() {
                            Instant now = now();
                            return super.failingPartitions().stream()
                                    .map(f -> new FailingPartition(
                                            f.topic(), f.partition(), f.messageId(), f.attempts(), f.reason(), now))
                                    .toList();
                        }
                    })
                    .breaks("OBX-OPS-2"),
            Broken.outbox("lists dead letters of topics that differ by case", () -> new MemoryState() {
                        @Override
                        public synchronized List<DeadLetter> deadLetters(
                                String topic, @Nullable String afterId, int limit) {
                            return backlog().stream()
                                    .map(Backlog::topic)
                                    .filter(topic::equalsIgnoreCase)
                                    .findFirst()
                                    .map(first -> super.deadLetters(first, afterId, limit))
                                    .orElseGet(() -> super.deadLetters(topic, afterId, limit));
                        }
                    })
                    .breaks("OBX-OPS-2"),
            Broken.outbox("says that the dead died when they were created", () -> new MemoryState() {
                        @Override
                        public synchronized Optional<DeadLetter> deadLetter(String id) {
                            return super.deadLetter(id)
                                    .map(d -> new DeadLetter(
                                            d.message(), d.reason(), d.message().createdAt()));
                        }
                    })
                    .breaks("OBX-DEAD-2"),
            Broken.outbox("keeps 255 characters of a reason", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            super.settle(
                                    hold,
                                    outcomes.stream()
                                            .map(BrokenListings::shortened)
                                            .toList());
                        }
                    })
                    .breaks("OBX-RETRY-6"),
            Broken.outbox("creates what is redriven anew", () -> new MemoryState() {
                        private final Map<String, Instant> redriven = new HashMap<>();

                        @Override
                        public synchronized int redrive(Collection<String> ids) {
                            ids.forEach(id -> redriven.put(id, now()));
                            return super.redrive(ids);
                        }

                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Hold hold = super.checkout(topics, limit);
                            hold.messages.replaceAll(m -> redriven.containsKey(m.id())
                                    ? with(m, m.attempts(), redriven.getOrDefault(m.id(), now()))
                                    : m);
                            return hold;
                        }
                    })
                    .breaks("OBX-PAYLOAD-3"),
            Broken.outbox("says at each delivery that the message is new", () -> new MemoryState() {
                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Hold hold = super.checkout(topics, limit);
                            hold.messages.replaceAll(m -> with(m, m.attempts(), now()));
                            return hold;
                        }
                    })
                    .breaks("OBX-PAYLOAD-3"),
            Broken.outbox("counts attempts in a byte", () -> new MemoryState() {
                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Hold hold = super.checkout(topics, limit);
                            hold.messages.replaceAll(m -> with(m, m.attempts() & 0x7f, m.createdAt()));
                            return hold;
                        }
                    })
                    .breaks("OBX-RETRY-1"),
            Broken.client("answers operations when it is closed", store -> new PassingStore(store) {
                        private boolean closed;

                        @Override
                        public List<Backlog> backlog() {
                            return closed ? List.of() : super.backlog();
                        }

                        @Override
                        public void close() {
                            closed = true;
                            super.close();
                        }
                    })
                    .breaks("OBX-LIFE-4"),
            Broken.client("finds nothing to remove or to move when it is closed", store -> new PassingStore(store) {
                        private boolean closed;

                        @Override
                        public int removePending(String topic, int limit) {
                            return closed ? 0 : super.removePending(topic, limit);
                        }

                        @Override
                        public int movePending(String topic, String toTopic, int toPartitions, int limit) {
                            return closed ? 0 : super.movePending(topic, toTopic, toPartitions, limit);
                        }

                        @Override
                        public void close() {
                            closed = true;
                            super.close();
                        }
                    })
                    .breaks("OBX-LIFE-4"));

    private BrokenListings() {}

    private static Outcome shortened(Outcome outcome) {
        if (outcome instanceof Outcome.Failed failed) {
            return new Outcome.Failed(failed.message(), shortened(failed.reason()), failed.retryAfter());
        }
        return outcome instanceof Outcome.DeadLettered dead
                ? new Outcome.DeadLettered(dead.message(), shortened(dead.reason()))
                : outcome;
    }

    private static String shortened(String reason) {
        return reason.substring(0, Math.min(255, reason.length()));
    }

    private static PersistedMessage with(PersistedMessage m, int attempts, Instant createdAt) {
        return new PersistedMessage(
                m.id(), m.topic(), m.partition(), m.key(), m.headers(), m.payload(), attempts, createdAt);
    }
}
