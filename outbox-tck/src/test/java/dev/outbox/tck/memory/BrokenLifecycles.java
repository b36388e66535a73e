package dev.outbox.tck.memory;

import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.spi.Outcome;
import dev.outbox.store.memory.internal.MemoryState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;

/** Stores that cannot be opened, closed or used for long, or not by more than one. */
final class BrokenLifecycles {
    static final List<Broken> ALL = List.of(
            Broken.client("fails when it is closed twice", store -> new PassingStore(store) {
                        private boolean closed;

                        @Override
                        public void close() {
                            if (closed) {
                                throw new StoreException("the pool is closed");
                            }
                            closed = true;
                            super.close();
                        }
                    })
                    .breaks("OBX-LIFE-1"),
            Broken.client("leaks a thread per batch", LeaksThreads::new).breaks("OBX-LIFE-2"),
            Broken.client("leaks a connection when it refuses", store -> new PassingStore(store) {
                        private final Semaphore connections = new Semaphore(40);

                        @Override
                        public MessageBatch checkout(Set<String> topics, int limit) {
                            if (!connections.tryAcquire()) {
                                throw new StoreException("no connection is free");
                            }
                            MessageBatch batch = super.checkout(topics, limit);
                            connections.release();
                            return batch;
                        }
                    })
                    .breaks("OBX-LIFE-2"),
            Broken.client("remembers every batch", store -> new PassingStore(store) {
                        private final List<MessageBatch> all = Collections.synchronizedList(new ArrayList<>());

                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            all.add(batch);
                            return batch;
                        }
                    })
                    .breaks("OBX-LIFE-2"),
            Broken.outbox("cannot be opened again after a failure", () -> new MemoryState() {
                        private boolean failed;

                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            failed |= outcomes.stream().anyMatch(Outcome.Failed.class::isInstance);
                            super.settle(hold, outcomes);
                        }

                        @Override
                        public synchronized Store store() {
                            if (failed) {
                                throw new StoreException("cannot read the state of the outbox");
                            }
                            return super.store();
                        }
                    })
                    .breaks(
                            "OBX-BROWSE-1",
                            "OBX-FIND-1",
                            "OBX-DEAD-2",
                            "OBX-ID-1",
                            "OBX-LIFE-3",
                            "OBX-OPS-2",
                            "OBX-OPS-3",
                            "OBX-PAYLOAD-3",
                            "OBX-OPS-5",
                            "OBX-OPS-6",
                            "OBX-RELAY-1",
                            "OBX-RETRY-1",
                            "OBX-RETRY-2"),
            Broken.outbox("forgets delays when it is opened", () -> new MemoryState() {
                        @Override
                        public Store store() {
                            failingPartitions().forEach(failing -> retryNow(failing.topic(), failing.partition()));
                            return super.store();
                        }
                    })
                    .breaks("OBX-BROWSE-1", "OBX-FIND-1", "OBX-LIFE-3", "OBX-OPS-3", "OBX-RETRY-2"),
            Broken.client("goes on after it was closed", store -> new PassingStore(store) {
                        @Override
                        public MessageBatch checkout(Set<String> topics, int limit) {
                            try {
                                return super.checkout(topics, limit);
                            } catch (MisuseException e) {
                                if (topics.isEmpty() || limit < 1) {
                                    throw e;
                                }
                                throw new StoreException("no connection", e);
                            }
                        }
                    })
                    .breaks("OBX-LIFE-4"),
            Broken.client("works from the process that made it only", store -> new PassingStore(store) {
                        @Override
                        public MessageBatch checkout(Set<String> topics, int limit) {
                            boolean elsewhere =
                                    System.getProperty("sun.java.command", "").startsWith("dev.outbox.tck.ChildMain");
                            return super.checkout(elsewhere ? Set.of("none") : topics, limit);
                        }
                    })
                    .testedFor(Broken.Also.KILLS)
                    .breaks("OBX-CLOSE-1", "OBX-CLOSE-2", "OBX-FENCE-2", "OBX-LIFE-5"));

    private BrokenLifecycles() {}

    /** Its threads end when the store is closed, so that the zoo can go on. */
    private static final class LeaksThreads extends PassingStore {
        private final CountDownLatch closed = new CountDownLatch(1);

        LeaksThreads(Store store) {
            super(store);
        }

        @Override
        MessageBatch batch(MessageBatch batch) {
            if (!batch.messages().isEmpty()) {
                Thread thread = new Thread(this::idle, "zoo-leaked");
                thread.setDaemon(true);
                thread.start();
            }
            return batch;
        }

        private void idle() {
            try {
                closed.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void close() {
            super.close();
            closed.countDown();
        }
    }
}
