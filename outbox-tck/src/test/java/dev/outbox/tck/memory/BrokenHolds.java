package dev.outbox.tck.memory;

import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.spi.Outcome;
import dev.outbox.store.memory.internal.MemoryState;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/** Stores that give away what somebody holds, or keep what nobody should. */
final class BrokenHolds {
    static final List<Broken> ALL = List.of(
            Broken.outbox("claims twice", () -> new MemoryState() {
                        @Override
                        public boolean isReady(Partition partition) {
                            Hold holder = partition.holder;
                            partition.holder = null;
                            boolean ready = super.isReady(partition);
                            partition.holder = holder;
                            return ready;
                        }
                    })
                    .testedFor(Broken.Also.THREADS)
                    .breaks(
                            "OBX-CLOSE-3",
                            "OBX-EXCL-1",
                            "OBX-EXCL-2",
                            "OBX-EXCL-3",
                            "OBX-FENCE-1",
                            "OBX-OPS-3",
                            "OBX-OPS-5",
                            "OBX-OPS-6",
                            "OBX-ORDER-3",
                            "OBX-RELAY-2"),
            Broken.outbox("holds messages and not their partitions", LocksMessages::new)
                    .breaks("OBX-ORDER-3"),
            Broken.outbox("waits for partitions that are held", () -> new MemoryState() {
                        private final Set<Hold> open = new HashSet<>();

                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            try {
                                for (int i = 0; !open.isEmpty() && i < 600; i++) {
                                    wait(10); // gives up after six seconds, so that tests end
                                }
                            } catch (InterruptedException e) {
                                throw new StoreException("interrupted", e);
                            }
                            Hold hold = super.checkout(topics, limit);
                            if (!hold.messages.isEmpty()) {
                                open.add(hold);
                            }
                            return hold;
                        }

                        @Override
                        public synchronized void release(Hold hold) {
                            super.release(hold);
                            open.remove(hold);
                        }
                    })
                    .breaks("OBX-EXCL-2", "OBX-EXCL-3"),
            Broken.outbox("locks in two orders, so that two checkouts deadlock", () -> new MemoryState() {
                        private final ReentrantLock[] locks = {new ReentrantLock(), new ReentrantLock()};
                        private final AtomicInteger checkouts = new AtomicInteger();

                        @Override
                        @SuppressWarnings("UnsynchronizedOverridesSynchronized") // locks of its own first, that is it
                        public Hold checkout(Set<String> topics, int limit) {
                            int first = checkouts.incrementAndGet() % 2;
                            locks[first].lock();
                            try {
                                LockSupport.parkNanos(3_000_000);
                                if (!locks[1 - first].tryLock(300, TimeUnit.MILLISECONDS)) {
                                    throw new StoreException("deadlock found when trying to get a lock");
                                }
                                try {
                                    return super.checkout(topics, limit);
                                } finally {
                                    locks[1 - first].unlock();
                                }
                            } catch (InterruptedException e) {
                                throw new StoreException("interrupted", e);
                            } finally {
                                locks[first].unlock();
                            }
                        }
                    })
                    .breaks("OBX-EXCL-2"),
            Broken.outbox("keeps partitions that it found empty", () -> new MemoryState() {
                        private final Set<Partition> seen = new HashSet<>();

                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Hold hold = super.checkout(topics, limit);
                            for (Partition partition : seen) {
                                if (!hold.messages.isEmpty()
                                        && partition.holder == null
                                        && partition.messages.isEmpty()) {
                                    hold.positions.put(partition, List.of());
                                    partition.holder = hold;
                                }
                            }
                            seen.addAll(hold.positions.keySet());
                            return hold;
                        }
                    })
                    .breaks("OBX-HOLD-1", "OBX-EXCL-3"),
            Broken.outbox("never frees what a client left behind", () -> new TellsDeathsFromCloses() {
                        @Override
                        public synchronized void release(Hold hold) {
                            if (settling) {
                                super.release(hold);
                            }
                        }
                    })
                    .breaks("OBX-HOLD-1", "OBX-CLOSE-1", "OBX-CLOSE-2", "OBX-FENCE-1", "OBX-FENCE-2", "OBX-LIFE-2"),
            Broken.outbox("keeps what has failed before for a dead process", () -> new TellsDeathsFromCloses() {
                        /** As locks do that nobody ends but a server that waits for a client. */
                        @Override
                        public synchronized void release(Hold hold) {
                            if (!settling) {
                                hold.positions.keySet().removeIf(partition -> partition.failure != null);
                            }
                            super.release(hold);
                        }
                    })
                    .testedFor(Broken.Also.KILLS)
                    .breaks("OBX-FENCE-2"),
            Broken.outbox("frees partitions by their name when a batch is closed again", () -> new MemoryState() {
                        private final Map<String, Hold> holds = new HashMap<>();

                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Hold hold = super.checkout(topics, limit);
                            hold.messages.forEach(m -> holds.put(m.id(), hold));
                            return hold;
                        }

                        synchronized void free(PersistedMessage message) {
                            Hold hold = holds.get(message.id());
                            if (hold != null) {
                                hold.positions.keySet().forEach(partition -> partition.holder = null);
                            }
                        }

                        @Override
                        public Store store() {
                            return new PassingStore(super.store()) {
                                @Override
                                MessageBatch batch(MessageBatch batch) {
                                    return new PassingBatch(batch) {
                                        private boolean closed;

                                        @Override
                                        public void close() {
                                            if (closed) {
                                                messages().forEach(m -> free(m));
                                            }
                                            closed = true;
                                            super.close();
                                        }
                                    };
                                }
                            };
                        }
                    })
                    .breaks("OBX-CLOSE-3", "OBX-LIFE-2"),
            Broken.client("is silent about a lost hold", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new PassingBatch(batch) {
                                @Override
                                public void close() {
                                    try {
                                        super.close();
                                    } catch (HoldLostException e) {
                                        // nobody need know
                                    }
                                }
                            };
                        }
                    })
                    .breaks("OBX-CLOSE-1", "OBX-FENCE-1"),
            Broken.client("says that it is held, come what may", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new PassingBatch(batch) {
                                @Override
                                public boolean isHeld() {
                                    return true;
                                }
                            };
                        }
                    })
                    .breaks("OBX-FENCE-3"));

    private BrokenHolds() {}

    /** Knows whether a hold ends by a close, or because its owner has gone. */
    private abstract static class TellsDeathsFromCloses extends MemoryState {
        boolean settling;

        @Override
        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
            settling = true;
            try {
                super.settle(hold, outcomes);
            } finally {
                settling = false;
            }
        }
    }

    /** Locks rows, as most outboxes do: the next one gets what is behind them. */
    private static final class LocksMessages extends MemoryState {
        private final Set<Hold> open = new HashSet<>();

        @Override
        public boolean isReady(Partition partition) {
            Hold holder = partition.holder;
            partition.holder = null;
            boolean ready = super.isReady(partition);
            partition.holder = holder;
            return ready;
        }

        @Override
        public Collection<Long> readable(Partition partition) {
            Set<Long> free = new TreeSet<>(partition.messages.keySet());
            open.forEach(hold -> free.removeAll(hold.positions.getOrDefault(partition, List.of())));
            return free;
        }

        @Override
        public synchronized Hold checkout(Set<String> topics, int limit) {
            Hold hold = super.checkout(topics, limit);
            open.add(hold);
            return hold;
        }

        @Override
        public synchronized boolean isHeld(Hold hold) {
            return open.contains(hold);
        }

        @Override
        public synchronized void release(Hold hold) {
            super.release(hold);
            open.remove(hold);
        }
    }
}
