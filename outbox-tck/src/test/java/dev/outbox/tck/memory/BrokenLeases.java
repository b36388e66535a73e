package dev.outbox.tck.memory;

import dev.outbox.MessageBatch;
import dev.outbox.Store;
import dev.outbox.store.memory.internal.MemoryState;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Stores whose leases end when they should not, or do not when they should. */
final class BrokenLeases {
    private static final Duration LEASE = Duration.ofSeconds(2);

    static final List<Broken> ALL = List.of(
            Broken.outbox("never ends a lease", () -> new MemoryState(LEASE) {
                        @Override
                        public boolean hasRunOut(Hold hold) {
                            return false;
                        }
                    })
                    .testedFor(Broken.Also.PAUSES)
                    .breaks("OBX-FENCE-5"),
            Broken.outbox("ends the lease of an owner that lives", () -> new MemoryState(LEASE) {
                        private final Map<Hold, Integer> renewals = new HashMap<>();

                        /** The owner is told that all is well, also when that is no longer so. */
                        @Override
                        public synchronized boolean renew(Hold hold) {
                            renewals.merge(hold, 1, Integer::sum);
                            return super.renew(hold);
                        }

                        /** Not before a process that is to be paused is paused: others may take over only what lives. */
                        @Override
                        public boolean hasRunOut(Hold hold) {
                            return renewals.getOrDefault(hold, 0) > 6 || super.hasRunOut(hold);
                        }
                    })
                    .testedFor(Broken.Also.PAUSES)
                    .breaks("OBX-FENCE-4"),
            Broken.outbox("lets a zombie settle", () -> new MemoryState(LEASE) {
                        @Override
                        public synchronized boolean isHeld(Hold hold) {
                            return true;
                        }
                    })
                    .testedFor(Broken.Also.PAUSES)
                    .breaks("OBX-FENCE-5"),
            Broken.outbox("trusts the clock of whoever asks", () -> new MemoryState(LEASE) {
                        private boolean asking;

                        /** The clock of each client is a minute ahead. */
                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            asking = true;
                            try {
                                return super.checkout(topics, limit);
                            } finally {
                                asking = false;
                            }
                        }

                        @Override
                        public synchronized int removePending(String topic, int limit) {
                            asking = true;
                            try {
                                return super.removePending(topic, limit);
                            } finally {
                                asking = false;
                            }
                        }

                        @Override
                        public synchronized int movePending(String topic, String to, int partitions, int limit) {
                            asking = true;
                            try {
                                return super.movePending(topic, to, partitions, limit);
                            } finally {
                                asking = false;
                            }
                        }

                        @Override
                        public boolean hasRunOut(Hold hold) {
                            return asking || super.hasRunOut(hold);
                        }
                    })
                    .testedFor(Broken.Also.PAUSES)
                    .breaks(
                            "OBX-CLOSE-3",
                            "OBX-EXCL-1",
                            "OBX-EXCL-2",
                            "OBX-EXCL-3",
                            "OBX-FENCE-1",
                            "OBX-FENCE-4",
                            "OBX-FENCE-5",
                            "OBX-OPS-3",
                            "OBX-OPS-5",
                            "OBX-OPS-6",
                            "OBX-ORDER-3"),
            Broken.client(
                            "takes its own word for it that it is held",
                            () -> new MemoryState(LEASE),
                            BelievesInItsHold::new)
                    .testedFor(Broken.Also.PAUSES)
                    .breaks("OBX-FENCE-5"),
            Broken.client("does not ask whether it is still connected", MemoryState::new, BelievesInItsHold::new)
                    .testedFor(Broken.Also.FAULTS)
                    .breaks("OBX-FENCE-3"));

    private BrokenLeases() {}

    /** Its batches are held until they are closed, as far as it knows. */
    private static final class BelievesInItsHold extends PassingStore {
        private volatile boolean open = true;

        BelievesInItsHold(Store store) {
            super(store);
        }

        @Override
        MessageBatch batch(MessageBatch batch) {
            return new PassingBatch(batch) {
                private volatile boolean closed;

                @Override
                public boolean isHeld() {
                    return open && !closed;
                }

                @Override
                public void close() {
                    closed = true;
                    super.close();
                }
            };
        }

        @Override
        public void close() {
            open = false;
            super.close();
        }
    }
}
