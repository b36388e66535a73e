package dev.outbox.tck.memory;

import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Operations.DeadLetterTopic;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.spi.BatchOutcomes;
import dev.outbox.spi.Outcome;
import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.store.memory.internal.Transaction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Stores with mistakes that are common, and seen by few. */
final class BrokenHabits {
    static final List<Broken> ALL = List.of(
            Broken.outbox("counts attempts in an unsigned byte", () -> new MemoryState() {
                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Hold hold = super.checkout(topics, limit);
                            hold.messages.replaceAll(m -> with(m, m.headers(), m.attempts() & 0xff));
                            return hold;
                        }
                    })
                    .breaks("OBX-RETRY-1"),
            Broken.outbox("keeps 999 characters of a reason", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            super.settle(
                                    hold,
                                    outcomes.stream()
                                            .map(BrokenHabits::withShorterReason)
                                            .toList());
                        }
                    })
                    .breaks("OBX-RETRY-6"),
            Broken.outbox("writes a large call in parts, the last part first", () -> new MemoryState() {
                        @Override
                        public Transaction begin() {
                            return new PassingTransaction(super.begin()) {
                                @Override
                                List<String> persistAll(List<OutgoingMessage> messages) {
                                    for (int last = messages.size() - 1; last >= 0; last -= 1_000) {
                                        super.persistAll(messages.subList(last / 1_000 * 1_000, last + 1));
                                        last = last / 1_000 * 1_000 + 999;
                                    }
                                    return messages.stream()
                                            .map(OutgoingMessage::id)
                                            .toList();
                                }
                            };
                        }
                    })
                    .breaks("OBX-OPS-5", "OBX-OPS-6", "OBX-ORDER-1"),
            Broken.outbox("begins with what failed, whatever was released", () -> new MemoryState() {
                        @Override
                        public Collection<Long> readable(Partition partition) {
                            return partition.failure == null
                                    ? super.readable(partition)
                                    : partition
                                            .messages
                                            .tailMap(partition.failure.position(), true)
                                            .keySet();
                        }
                    })
                    .breaks("OBX-RETRY-2"),
            Broken.outbox("loses the headers of what is redriven", () -> new MemoryState() {
                        private final Set<String> redriven = new HashSet<>();

                        @Override
                        public synchronized int redrive(Collection<String> ids) {
                            redriven.addAll(ids);
                            return super.redrive(ids);
                        }

                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Hold hold = super.checkout(topics, limit);
                            hold.messages.replaceAll(
                                    m -> redriven.contains(m.id()) ? with(m, Map.of(), m.attempts()) : m);
                            return hold;
                        }
                    })
                    .breaks("OBX-PAYLOAD-3"),
            Broken.outbox("removes messages of topics that differ by case", () -> new MemoryState() {
                        @Override
                        public synchronized int removePending(String topic, int limit) {
                            int removed = super.removePending(topic, limit);
                            backlog().stream()
                                    .filter(b -> b.topic().equalsIgnoreCase(topic))
                                    .forEach(b -> super.removePending(b.topic(), limit));
                            return removed;
                        }
                    })
                    .breaks("OBX-OPS-5"),
            Broken.outbox("removes messages of topics that differ by a trailing blank", () -> new MemoryState() {
                        @Override
                        public synchronized int removePending(String topic, int limit) {
                            return super.removePending(topic.stripTrailing(), limit);
                        }
                    })
                    .breaks("OBX-OPS-5"),
            Broken.outbox("counts dead letters of topics that differ by case together", () -> new MemoryState() {
                        @Override
                        public synchronized List<DeadLetterTopic> deadLetterTopics() {
                            Map<String, DeadLetterTopic> topics = new LinkedHashMap<>();
                            super.deadLetterTopics()
                                    .forEach(t -> topics.merge(
                                            t.topic().toLowerCase(Locale.ROOT),
                                            t,
                                            (one, other) -> new DeadLetterTopic(
                                                    one.topic(),
                                                    one.deadLetters() + other.deadLetters(),
                                                    one.firstDiedAt(),
                                                    other.lastDiedAt())));
                            return List.copyOf(topics.values());
                        }
                    })
                    .breaks("OBX-OPS-5"),
            Broken.client("keeps marks with the thread that made them", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new MarksOfThreads(batch);
                        }
                    })
                    .breaks("OBX-CLOSE-3"),
            Broken.client("takes subscriptions when it is closed", store -> new PassingStore(store) {
                        @Override
                        public Subscription onWakeUp(Runnable listener) {
                            try {
                                return super.onWakeUp(listener);
                            } catch (MisuseException e) {
                                return () -> {};
                            }
                        }
                    })
                    .breaks("OBX-LIFE-4"));

    private BrokenHabits() {}

    private static Outcome withShorterReason(Outcome outcome) {
        if (outcome instanceof Outcome.Failed failed && failed.reason().length() >= 1_000) {
            return new Outcome.Failed(failed.message(), shorter(failed.reason()), failed.retryAfter());
        }
        return outcome instanceof Outcome.DeadLettered dead && dead.reason().length() >= 1_000
                ? new Outcome.DeadLettered(dead.message(), shorter(dead.reason()))
                : outcome;
    }

    private static String shorter(String reason) {
        return reason.substring(
                0, reason.offsetByCodePoints(0, Math.min(999, reason.codePointCount(0, reason.length()))));
    }

    private static PersistedMessage with(PersistedMessage m, Map<String, String> headers, int attempts) {
        return new PersistedMessage(
                m.id(), m.topic(), m.partition(), m.key(), headers, m.payload(), attempts, m.createdAt());
    }

    /** Marks that another thread made are lost at the close. */
    private static final class MarksOfThreads extends PassingBatch {
        private final BatchOutcomes outcomes;
        private final Map<Thread, List<Runnable>> marks = new ConcurrentHashMap<>();

        MarksOfThreads(MessageBatch real) {
            super(real);
            outcomes = new BatchOutcomes(real.messages());
        }

        private void note(Runnable mark) {
            marks.computeIfAbsent(Thread.currentThread(), thread -> new ArrayList<>())
                    .add(mark);
        }

        @Override
        public List<PersistedMessage> messages() {
            return outcomes.messages();
        }

        @Override
        public void markPublished(PersistedMessage message, @Nullable String publishId) {
            outcomes.published(message, publishId);
            note(() -> super.markPublished(message, publishId));
        }

        @Override
        public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
            outcomes.failed(message, reason, retryAfter);
            note(() -> super.markFailed(message, reason, retryAfter));
        }

        @Override
        public void deadLetter(PersistedMessage message, String reason) {
            outcomes.deadLettered(message, reason);
            note(() -> super.deadLetter(message, reason));
        }

        @Override
        public void close() {
            if (outcomes.close()) {
                marks.getOrDefault(Thread.currentThread(), List.of()).forEach(Runnable::run);
            }
            super.close();
        }
    }
}
