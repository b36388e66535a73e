package dev.outbox.tck.memory;

import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.spi.Outcome;
import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.store.memory.internal.Transaction;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Stores that lose the order, or lose what they gave back. */
final class BrokenOrder {
    static final List<Broken> ALL = List.of(
            Broken.outbox("reads backwards", () -> new MemoryState() {
                        @Override
                        public Collection<Long> readable(Partition partition) {
                            return partition.messages.descendingKeySet();
                        }
                    })
                    .testedFor(Broken.Also.THREADS)
                    .breaks(
                            "OBX-BROWSE-3",
                            "OBX-FIND-1",
                            "OBX-HOLD-1",
                            "OBX-CLOSE-1",
                            "OBX-CLOSE-2",
                            "OBX-CLOSE-3",
                            "OBX-CLOSE-6",
                            "OBX-DEAD-1",
                            "OBX-DEAD-2",
                            "OBX-DEAD-3",
                            "OBX-DEAD-4",
                            "OBX-FENCE-1",
                            "OBX-LIFE-3",
                            "OBX-LIFE-5",
                            "OBX-OPS-2",
                            "OBX-OPS-3",
                            "OBX-OPS-5",
                            "OBX-OPS-6",
                            "OBX-ORDER-1",
                            "OBX-ORDER-2",
                            "OBX-ORDER-3",
                            "OBX-ORDER-4",
                            "OBX-RELAY-1",
                            "OBX-RELAY-2",
                            "OBX-RETRY-1",
                            "OBX-RETRY-2",
                            "OBX-RETRY-3",
                            "OBX-RETRY-4"),
            Broken.outbox("sorts positions as texts", () -> new MemoryState() {
                        @Override
                        public Collection<Long> readable(Partition partition) {
                            return partition.messages.keySet().stream()
                                    .sorted(Comparator.comparing(String::valueOf))
                                    .toList();
                        }
                    })
                    .breaks("OBX-LIFE-5", "OBX-OPS-5", "OBX-OPS-6", "OBX-ORDER-1"),
            Broken.outbox("writes the messages of a call backwards", () -> new MemoryState() {
                        @Override
                        public Transaction begin() {
                            return new PassingTransaction(super.begin()) {
                                @Override
                                List<String> persistAll(List<OutgoingMessage> messages) {
                                    List<OutgoingMessage> backwards = new ArrayList<>(messages);
                                    Collections.reverse(backwards);
                                    List<String> ids = new ArrayList<>(super.persistAll(backwards));
                                    Collections.reverse(ids);
                                    return ids;
                                }
                            };
                        }
                    })
                    .breaks("OBX-BROWSE-2", "OBX-OPS-5", "OBX-OPS-6", "OBX-ORDER-1"),
            Broken.outbox("loses what was released", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            List<Outcome> all = new ArrayList<>(outcomes);
                            for (PersistedMessage message : released(hold, outcomes)) {
                                all.add(new Outcome.Published(message, null));
                            }
                            super.settle(hold, all);
                        }
                    })
                    .testedFor(Broken.Also.THREADS)
                    .breaks(
                            "OBX-BROWSE-1",
                            "OBX-BROWSE-2",
                            "OBX-CLOSE-1",
                            "OBX-CLOSE-3",
                            "OBX-CLOSE-4",
                            "OBX-CLOSE-6",
                            "OBX-EXCL-1",
                            "OBX-EXCL-2",
                            "OBX-FENCE-1",
                            "OBX-FILTER-1",
                            "OBX-FIND-1",
                            "OBX-ID-1",
                            "OBX-LIFE-2",
                            "OBX-LIFE-3",
                            "OBX-LIMIT-1",
                            "OBX-LIMIT-2",
                            "OBX-OPS-1",
                            "OBX-OPS-2",
                            "OBX-OPS-3",
                            "OBX-OPS-5",
                            "OBX-ORDER-1",
                            "OBX-ORDER-2",
                            "OBX-PAYLOAD-3",
                            "OBX-RELAY-1",
                            "OBX-RELAY-2",
                            "OBX-RETRY-1",
                            "OBX-RETRY-2",
                            "OBX-RETRY-4",
                            "OBX-RETRY-5",
                            "OBX-TX-1"),
            Broken.outbox("puts what was released at the end", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            super.settle(hold, outcomes);
                            for (PersistedMessage message : released(hold, outcomes)) {
                                hold.positions.forEach((partition, positions) -> positions.removeIf(position -> {
                                    PersistedMessage there = partition.messages.get(position);
                                    boolean found =
                                            there != null && message.id().equals(there.id());
                                    if (found) {
                                        remove(partition, position);
                                    }
                                    return found;
                                }));
                                commit(List.of(new Written(end(message), message)));
                            }
                        }

                        private long end(PersistedMessage m) {
                            return write(new OutgoingMessage(
                                            m.topic(), m.partition(), m.key(), m.headers(), m.payload()))
                                    .position();
                        }
                    })
                    .breaks("OBX-BROWSE-2", "OBX-ORDER-1", "OBX-ORDER-2", "OBX-RETRY-1", "OBX-RETRY-2"),
            Broken.outbox("goes back to the start only now and then", () -> new MemoryState() {
                        private final Map<Partition, Long> cursors = new HashMap<>();

                        @Override
                        public Collection<Long> readable(Partition partition) {
                            Collection<Long> behind = partition
                                    .messages
                                    .tailMap(cursors.getOrDefault(partition, 0L), false)
                                    .keySet();
                            return behind.isEmpty() ? partition.messages.keySet() : behind;
                        }

                        @Override
                        public void remove(Partition partition, long position) {
                            cursors.merge(partition, position, Math::max);
                            super.remove(partition, position);
                        }
                    })
                    .breaks("OBX-CLOSE-6", "OBX-ORDER-2", "OBX-ORDER-4"));

    private BrokenOrder() {}

    private static List<PersistedMessage> released(MemoryState.Hold hold, List<Outcome> outcomes) {
        Set<String> marked = new HashSet<>();
        outcomes.forEach(outcome -> marked.add(outcome.message().id()));
        return hold.messages.stream().filter(m -> !marked.contains(m.id())).toList();
    }
}
