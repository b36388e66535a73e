package dev.outbox.tck.memory;

import static java.util.Objects.requireNonNull;

import dev.outbox.MessageRejectedException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.StoreException;
import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.store.memory.internal.Transaction;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Stores that tell the broker other things than the database. */
final class BrokenTransactions {
    static final List<Broken> ALL = List.of(
            Broken.outbox("returns what is rolled back", () -> new MemoryState() {
                        @Override
                        public synchronized Written write(OutgoingMessage message) {
                            Written written = super.write(message);
                            commit(List.of(written));
                            return written;
                        }
                    })
                    .breaks(
                            "OBX-BROWSE-1",
                            "OBX-BROWSE-2",
                            "OBX-FIND-1",
                            "OBX-OPS-1",
                            "OBX-ORDER-4",
                            "OBX-PAYLOAD-2",
                            "OBX-TX-1",
                            "OBX-TX-2",
                            "OBX-TX-4",
                            "OBX-TX-6",
                            "OBX-TX-7"),
            Broken.outbox("reads what is not committed", () -> new MemoryState() {
                        private final Set<String> rolledBack = new HashSet<>();

                        @Override
                        public synchronized Written write(OutgoingMessage message) {
                            Written written = super.write(message);
                            commit(List.of(written));
                            return written;
                        }

                        @Override
                        public Transaction begin() {
                            Set<String> open = new HashSet<>();
                            return new PassingTransaction(super.begin()) {
                                @Override
                                String persist(OutgoingMessage message) {
                                    String id = super.persist(message);
                                    open.add(id);
                                    return id;
                                }

                                @Override
                                public void commit() {
                                    super.commit();
                                    open.clear();
                                }

                                @Override
                                public void close() {
                                    super.close();
                                    rolledBack.addAll(open);
                                }
                            };
                        }

                        @Override
                        public Collection<Long> readable(Partition partition) {
                            Set<Long> readable = new TreeSet<>(partition.messages.keySet());
                            readable.removeIf(
                                    position -> rolledBack.contains(requireNonNull(partition.messages.get(position))
                                            .id()));
                            return readable;
                        }
                    })
                    .breaks(
                            "OBX-BROWSE-1",
                            "OBX-BROWSE-2",
                            "OBX-FIND-1",
                            "OBX-OPS-1",
                            "OBX-ORDER-4",
                            "OBX-TX-1",
                            "OBX-TX-2",
                            "OBX-TX-4",
                            "OBX-TX-7"),
            Broken.outbox("commits half a transaction", () -> new MemoryState() {
                        @Override
                        public void commit(List<Written> messages) {
                            String first = messages.isEmpty()
                                    ? ""
                                    : messages.get(0).message().topic();
                            super.commit(messages.stream()
                                    .filter(written -> written.message().topic().equals(first))
                                    .toList());
                        }
                    })
                    .breaks("OBX-ORDER-1", "OBX-TX-1"),
            Broken.outbox("swallows an error of persist", () -> new MemoryState() {
                        @Override
                        public Transaction begin() {
                            return new PassingTransaction(super.begin()) {
                                @Override
                                String persist(OutgoingMessage message) {
                                    try {
                                        if (message.payload().length > 1_000_000) {
                                            throw new MessageRejectedException("too large: more than 1 MB");
                                        }
                                        return super.persist(message);
                                    } catch (MessageRejectedException e) {
                                        return "0";
                                    }
                                }
                            };
                        }
                    })
                    .breaks("OBX-BROWSE-2", "OBX-PAYLOAD-2"),
            Broken.outbox("reads on behind a cursor and misses a late commit", () -> new MemoryState() {
                        private final Map<Partition, Long> cursors = new HashMap<>();

                        @Override
                        public Collection<Long> readable(Partition partition) {
                            return partition
                                    .messages
                                    .tailMap(cursors.getOrDefault(partition, 0L), false)
                                    .keySet();
                        }

                        @Override
                        public void remove(Partition partition, long position) {
                            cursors.merge(partition, position, Math::max);
                            super.remove(partition, position);
                        }
                    })
                    .breaks("OBX-CLOSE-6", "OBX-ORDER-2", "OBX-ORDER-4", "OBX-RETRY-6", "OBX-TX-4"),
            Broken.outbox("deletes by range", () -> new MemoryState() {
                        @Override
                        public void remove(Partition partition, long position) {
                            partition.messages.headMap(position, true).clear();
                        }
                    })
                    .breaks("OBX-BROWSE-2", "OBX-CLOSE-6", "OBX-OPS-1", "OBX-ORDER-2", "OBX-RETRY-6", "OBX-TX-4"),
            Broken.outbox("remembers for a while that a partition was empty", () -> new MemoryState() {
                        private final Map<Partition, Long> emptied = new HashMap<>();

                        @Override
                        public void remove(Partition partition, long position) {
                            super.remove(partition, position);
                            if (partition.messages.isEmpty()) {
                                emptied.put(partition, System.nanoTime());
                            }
                        }

                        @Override
                        public boolean isReady(Partition partition) {
                            Long since = emptied.get(partition);
                            return (since == null || System.nanoTime() - since > 200_000_000)
                                    && super.isReady(partition);
                        }
                    })
                    .breaks("OBX-BROWSE-3", "OBX-EXCL-3", "OBX-LIFE-2", "OBX-LIFE-5", "OBX-TX-3"),
            Broken.outbox("lets writers wait for open batches", () -> new MemoryState() {
                        private final Set<Partition> held = new HashSet<>();

                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Hold hold = super.checkout(topics, limit);
                            held.addAll(hold.positions.keySet());
                            return hold;
                        }

                        @Override
                        public synchronized void release(Hold hold) {
                            super.release(hold);
                            held.removeAll(hold.positions.keySet());
                        }

                        @Override
                        public void commit(List<Written> messages) {
                            for (Written written : messages) {
                                PersistedMessage m = written.message();
                                PartitionName name = new PartitionName(m.topic(), m.partition());
                                synchronized (this) {
                                    if (held.stream().anyMatch(partition -> partition.name.equals(name))) {
                                        // As after the time that a database lets one wait for a lock.
                                        throw new StoreException("lock wait timeout exceeded");
                                    }
                                }
                            }
                            super.commit(messages);
                        }
                    })
                    .breaks("OBX-ORDER-3", "OBX-TX-4", "OBX-TX-5"),
            Broken.outbox("numbers messages per partition", () -> new MemoryState() {
                        private final Map<Integer, Integer> last = new HashMap<>();

                        @Override
                        public synchronized Written write(OutgoingMessage message) {
                            int number = last.merge(message.partition(), 1, Integer::sum);
                            Written written = super.write(message);
                            PersistedMessage m = written.message();
                            return new Written(
                                    written.position(),
                                    new PersistedMessage(
                                            message.partition() + "-" + number % 5,
                                            m.topic(),
                                            m.partition(),
                                            m.key(),
                                            m.headers(),
                                            m.payload(),
                                            0,
                                            m.createdAt()));
                        }
                    })
                    .breaks("OBX-BROWSE-2", "OBX-DEAD-3", "OBX-DEAD-4", "OBX-ID-1"),
            Broken.outbox("draws ids of its own", () -> new MemoryState() {
                        @Override
                        public synchronized Written write(OutgoingMessage m) {
                            return super.write(
                                    new OutgoingMessage(m.topic(), m.partition(), m.key(), m.headers(), m.payload()));
                        }
                    })
                    .breaks("OBX-ID-1"),
            Broken.outbox("returns the ids of a call in another order", () -> new MemoryState() {
                        @Override
                        public Transaction begin() {
                            return new PassingTransaction(super.begin()) {
                                @Override
                                List<String> persistAll(List<OutgoingMessage> messages) {
                                    List<String> ids = new ArrayList<>(super.persistAll(messages));
                                    Collections.reverse(ids);
                                    return ids;
                                }
                            };
                        }
                    })
                    .breaks("OBX-ID-1"),
            Broken.outbox("commits what is written by one call", () -> new MemoryState() {
                        @Override
                        public Transaction begin() {
                            MemoryState outbox = this;
                            return new PassingTransaction(super.begin()) {
                                @Override
                                List<String> persistAll(List<OutgoingMessage> messages) {
                                    List<Written> all =
                                            messages.stream().map(outbox::write).toList();
                                    outbox.commit(all);
                                    return all.stream()
                                            .map(written -> written.message().id())
                                            .toList();
                                }
                            };
                        }
                    })
                    .breaks("OBX-TX-1", "OBX-TX-6", "OBX-TX-7"));

    private BrokenTransactions() {}
}
