package dev.outbox.tck.memory;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.MessageBatch;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.DeadLetterTopic;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.Store;
import dev.outbox.store.memory.internal.MemoryState;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Stores that tell operators and relays what is not so. */
final class BrokenOperations {
    static final List<Broken> ALL = List.of(
            Broken.outbox("leaves what is held out of the backlog", () -> new MemoryState() {
                        private final Set<String> held = new HashSet<>();

                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Hold hold = super.checkout(topics, limit);
                            hold.messages.forEach(m -> held.add(m.topic() + m.partition()));
                            return hold;
                        }

                        @Override
                        public synchronized List<Backlog> backlog() {
                            return super.backlog().stream()
                                    .filter(b -> !held.contains(b.topic() + b.partition()))
                                    .toList();
                        }
                    })
                    .breaks("OBX-OPS-1", "OBX-OPS-2"),
            Broken.outbox("counts to a thousand", () -> new MemoryState() {
                        @Override
                        public synchronized List<dev.outbox.Operations.Backlog> backlog() {
                            return super.backlog().stream()
                                    .map(b -> new dev.outbox.Operations.Backlog(
                                            b.topic(), b.partition(), Math.min(1_000, b.pending()), b.oldestAge()))
                                    .toList();
                        }
                    })
                    .breaks("OBX-OPS-1"),
            Broken.outbox("forgets failures after their delay", () -> new MemoryState() {
                        @Override
                        public synchronized List<FailingPartition> failingPartitions() {
                            return super.failingPartitions().stream()
                                    .filter(f -> f.nextAttempt().isAfter(now()))
                                    .toList();
                        }
                    })
                    .breaks("OBX-OPS-2"),
            Broken.client("says that it retries, and waits", store -> new PassingStore(store) {
                        @Override
                        public boolean retryNow(String topic, int partition) {
                            return failingPartitions().stream()
                                    .anyMatch(f -> f.topic().equals(topic) && f.partition() == partition);
                        }
                    })
                    .breaks("OBX-OPS-2", "OBX-OPS-3"),
            Broken.outbox("retries every topic for one", () -> new MemoryState() {
                        @Override
                        public synchronized int retryNow(String topic) {
                            int failing = super.retryNow(topic);
                            failingPartitions().forEach(f -> retryNow(f.topic(), f.partition()));
                            return failing;
                        }
                    })
                    .breaks("OBX-OPS-3"),
            Broken.outbox("lists topics that have no dead letters any more", () -> new MemoryState() {
                        private final Map<String, DeadLetterTopic> topics = new TreeMap<>();

                        @Override
                        public synchronized List<DeadLetterTopic> deadLetterTopics() {
                            super.deadLetterTopics().forEach(topic -> topics.put(topic.topic(), topic));
                            return List.copyOf(topics.values());
                        }
                    })
                    .breaks("OBX-OPS-4"),
            Broken.outbox("removes all that waits of a topic, whatever the limit", () -> new MemoryState() {
                        @Override
                        public synchronized int removePending(String topic, int limit) {
                            return super.removePending(topic, Integer.MAX_VALUE);
                        }
                    })
                    .breaks("OBX-OPS-5"),
            Broken.outbox("does not remove what waits for its next attempt", () -> new MemoryState() {
                        private boolean removing;

                        @Override
                        public synchronized int removePending(String topic, int limit) {
                            removing = true;
                            int removed = super.removePending(topic, limit);
                            removing = false;
                            return removed;
                        }

                        @Override
                        public synchronized int retryNow(String topic) {
                            return removing ? 0 : super.retryNow(topic);
                        }
                    })
                    .breaks("OBX-OPS-5"),
            Broken.outbox("moves all to one partition", () -> new MemoryState() {
                        @Override
                        public int movePending(String topic, String toTopic, int toPartitions, int limit) {
                            return super.movePending(topic, toTopic, 1, limit);
                        }
                    })
                    .breaks("OBX-OPS-6"),
            Broken.outbox("removes what a batch holds", () -> new MemoryState() {
                        private boolean removing;

                        @Override
                        public synchronized int removePending(String topic, int limit) {
                            removing = true;
                            int removed = super.removePending(topic, limit);
                            removing = false;
                            return removed;
                        }

                        @Override
                        public boolean isReady(Partition partition) {
                            return removing || super.isReady(partition);
                        }
                    })
                    .breaks("OBX-OPS-5"),
            Broken.outbox("never wakes anybody up", () -> new MemoryState() {
                        @Override
                        public void addWakeUp(Runnable wakeUp) {}
                    })
                    .breaks("OBX-WAKE-1"),
            Broken.client("goes on waking up those who have left", store -> new PassingStore(store) {
                        @Override
                        public Subscription onWakeUp(Runnable listener) {
                            super.onWakeUp(listener);
                            return () -> {};
                        }
                    })
                    .breaks("OBX-WAKE-1"),
            Broken.client("declares what it does not implement", BareStore::new)
                    .breaks(
                            "OBX-BROWSE-1",
                            "OBX-BROWSE-2",
                            "OBX-BROWSE-3",
                            "OBX-CAP-1",
                            "OBX-DEAD-2",
                            "OBX-DEAD-3",
                            "OBX-DEAD-4",
                            "OBX-OPS-1",
                            "OBX-OPS-2",
                            "OBX-OPS-3",
                            "OBX-FIND-1",
                            "OBX-HOLD-1",
                            "OBX-LIFE-4",
                            "OBX-OPS-4",
                            "OBX-PAYLOAD-3",
                            "OBX-OPS-5",
                            "OBX-OPS-6",
                            "OBX-RELAY-1",
                            "OBX-RETRY-6",
                            "OBX-WAKE-1"),
            Broken.client("gives another reason every time", store -> new PassingStore(store) {
                        private final AtomicInteger asked = new AtomicInteger();

                        @Override
                        public Capabilities capabilities() {
                            return Capabilities.all()
                                    .without(Capability.WAKE_UP, "reason number " + asked.incrementAndGet() + " of it");
                        }
                    })
                    .breaks("OBX-CAP-1", "OBX-CAP-2", "OBX-WAKE-1"));

    private BrokenOperations() {}

    /** Nothing but a store, whatever it says. */
    private record BareStore(Store real) implements Store {
        @Override
        public MessageBatch checkout(Set<String> topics, int limit) {
            return real.checkout(topics, limit);
        }

        @Override
        public Capabilities capabilities() {
            return Capabilities.all();
        }

        @Override
        public void close() {
            real.close();
        }
    }
}
