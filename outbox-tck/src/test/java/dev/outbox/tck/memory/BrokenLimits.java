package dev.outbox.tck.memory;

import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.StoreException;
import dev.outbox.store.memory.internal.MemoryState;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/** Stores that return something else than was asked for, or always the same. */
final class BrokenLimits {
    static final List<Broken> ALL = List.of(
            Broken.outbox("ignores case in topics", () -> new MemoryState() {
                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Set<String> more = new HashSet<>(topics);
                            topics.forEach(topic -> more.add(topic.toLowerCase(Locale.ROOT)));
                            return super.checkout(more, limit);
                        }
                    })
                    .breaks("OBX-FILTER-1"),
            Broken.outbox("ignores topics", () -> new MemoryState() {
                        private final Set<String> known = new HashSet<>();

                        @Override
                        public void commit(List<Written> messages) {
                            synchronized (this) {
                                messages.forEach(
                                        written -> known.add(written.message().topic()));
                            }
                            super.commit(messages);
                        }

                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            return super.checkout(known, limit);
                        }
                    })
                    .breaks(
                            "OBX-HOLD-1",
                            "OBX-FILTER-1",
                            "OBX-LIFE-2",
                            "OBX-OPS-1",
                            "OBX-OPS-3",
                            "OBX-OPS-4",
                            "OBX-OPS-5",
                            "OBX-OPS-6"),
            Broken.outbox("ignores the limit by one", () -> new MemoryState() {
                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            return super.checkout(topics, limit == Integer.MAX_VALUE ? limit : limit + 1);
                        }
                    })
                    .breaks(
                            "OBX-DEAD-4",
                            "OBX-FENCE-2",
                            "OBX-HOLD-1",
                            "OBX-LIFE-5",
                            "OBX-LIMIT-1",
                            "OBX-LIMIT-2",
                            "OBX-OPS-2",
                            "OBX-OPS-5",
                            "OBX-ORDER-1",
                            "OBX-ORDER-3"),
            Broken.outbox("serves partitions in a fixed order", () -> new MemoryState() {
                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Hold hold = super.checkout(topics, limit);
                            hold.positions.keySet().forEach(partition -> partition.lastTurn = 0);
                            return hold;
                        }
                    })
                    .breaks("OBX-LIMIT-2", "OBX-LIMIT-3"),
            Broken.outbox("fills a batch from the first partition", () -> new MemoryState() {
                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Hold hold = super.checkout(topics, limit);
                            if (hold.messages.size() == limit && hold.positions.size() > 1) {
                                release(hold);
                                return super.checkout(topics, 1);
                            }
                            return hold;
                        }
                    })
                    .breaks("OBX-HOLD-1", "OBX-EXCL-3", "OBX-LIMIT-2", "OBX-ORDER-1"),
            Broken.outbox("fails at certain numbers of partitions", () -> new MemoryState() {
                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            long ready = ready(this, topics);
                            if (limit == 100 && ready >= 170 && ready <= 196) {
                                throw new StoreException("A checkout failed: fromIndex(98) > toIndex(-2147483550)");
                            }
                            return super.checkout(topics, limit);
                        }
                    })
                    .breaks("OBX-LIMIT-2"),
            Broken.client("does not return at certain numbers of partitions", real -> new PassingStore(real) {
                        @Override
                        public MessageBatch checkout(Set<String> topics, int limit) {
                            long end =
                                    System.nanoTime() + Duration.ofSeconds(30).toNanos();
                            while (limit == 250 && backlog().size() > 256 && System.nanoTime() < end) {
                                LockSupport.parkNanos(10_000_000);
                            }
                            return super.checkout(topics, limit);
                        }
                    })
                    .breaks("OBX-LIMIT-2"),
            Broken.outbox("leaves room where shares do not come out even", () -> new MemoryState() {
                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            long ready = ready(this, topics);
                            return super.checkout(topics, ready > limit && limit > 60 ? limit - limit % 14 : limit);
                        }
                    })
                    .breaks("OBX-LIMIT-2"),
            Broken.outbox("never looks beyond so many partitions", () -> new MemoryState() {
                        @Override
                        public boolean isReady(Partition partition) {
                            int number = partition.name.number();
                            return (number < 500 || number > 1000) && super.isReady(partition);
                        }
                    })
                    .breaks("OBX-LIMIT-2"),
            Broken.outbox("looks at the first of many partitions alone", () -> new MemoryState() {
                        private Set<Integer> first = Set.of();

                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            first = backlog().stream()
                                    .filter(partition -> topics.contains(partition.topic()))
                                    .map(Operations.Backlog::partition)
                                    .sorted()
                                    .limit(500)
                                    .collect(Collectors.toSet());
                            return super.checkout(topics, limit);
                        }

                        @Override
                        public boolean isReady(Partition partition) {
                            return (first.size() < 500 || first.contains(partition.name.number()))
                                    && super.isReady(partition);
                        }
                    })
                    .breaks("OBX-LIMIT-2"),
            Broken.outbox("gives partitions that wait a place", () -> new MemoryState() {
                        @Override
                        public boolean isReady(Partition partition) {
                            if (isWaiting(partition)) {
                                partition.lastTurn = 0; // and they are the first to be asked
                                return partition.holder == null;
                            }
                            return super.isReady(partition);
                        }

                        @Override
                        public Collection<Long> readable(Partition partition) {
                            return isWaiting(partition) ? Set.of() : super.readable(partition);
                        }

                        private boolean isWaiting(Partition partition) {
                            return partition.failure != null && now().isBefore(partition.failure.nextAttempt());
                        }
                    })
                    .breaks("OBX-LIMIT-3", "OBX-OPS-5", "OBX-OPS-6"));

    private BrokenLimits() {}

    private static long ready(MemoryState outbox, Set<String> topics) {
        return outbox.backlog().stream()
                .filter(partition -> topics.contains(partition.topic()))
                .count();
    }
}
