package dev.outbox.tck.memory;

import dev.outbox.DeadLetter;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.spi.Outcome;
import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.tck.memory.MemoryOutboxServer.Forgetful;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Stores that do not come back as they were when their server dies. */
final class BrokenCrashes {
    static final List<Broken> ALL = List.of(
            Broken.outbox("forgets a commit that nothing followed when its server dies", LastCommit::new)
                    .testedFor(Broken.Also.CRASHES)
                    .breaks("OBX-DUR-1"),
            Broken.outbox("forgets what nobody has had yet when it is busy and its server dies", NewMessages::new)
                    .testedFor(Broken.Also.CRASHES, Broken.Also.CRASHES_UNDER_LOAD)
                    .breaks("OBX-DUR-1"),
            Broken.outbox("forgets a close that nothing followed when its server dies", () -> new LastClose(false))
                    .testedFor(Broken.Also.CRASHES)
                    .breaks("OBX-DUR-2"),
            Broken.outbox("forgets its last close when it is busy and its server dies", () -> new LastClose(true))
                    .testedFor(Broken.Also.CRASHES, Broken.Also.CRASHES_UNDER_LOAD)
                    .breaks("OBX-DUR-2"),
            Broken.outbox("forgets attempts when its server dies", () -> new Touched() {
                        @Override
                        void crash(Partition partition) {
                            partition.messages.replaceAll((position, m) -> untried(m));
                        }
                    })
                    .testedFor(Broken.Also.CRASHES)
                    .breaks("OBX-DUR-3"),
            Broken.outbox("forgets delays when its server dies", () -> new Touched() {
                        @Override
                        void crash(Partition partition) {
                            partition.failure = null;
                        }
                    })
                    .testedFor(Broken.Also.CRASHES)
                    .breaks("OBX-DUR-3"),
            Broken.outbox("forgets the reasons of dead letters when its server dies", NoReasons::new)
                    .testedFor(Broken.Also.CRASHES)
                    .breaks("OBX-DUR-3"),
            Broken.client("says that it settled what it held when its server died", NeverFailsToClose::new)
                    .testedFor(Broken.Also.CRASHES)
                    .breaks("OBX-DUR-4"),
            Broken.outbox("counts positions anew when its server dies", Recounting::new)
                    .testedFor(Broken.Also.CRASHES)
                    .breaks("OBX-DUR-5"),
            Broken.client("never connects again", GivesUp::new)
                    .testedFor(Broken.Also.CRASHES, Broken.Also.FAILOVERS)
                    .breaks("OBX-DUR-6", "OBX-FAILOVER-6"));

    /** So many messages or closes are only seen where many threads are at work. */
    private static final int BUSY = 20;

    private BrokenCrashes() {}

    private static PersistedMessage untried(PersistedMessage m) {
        return new PersistedMessage(
                m.id(), m.topic(), m.partition(), m.key(), m.headers(), m.payload(), 0, m.createdAt());
    }

    /** All that may be handed out now, to be changed; nobody else is there. */
    static void eachReady(MemoryState outbox, BiConsumer<MemoryState.Partition, List<Long>> change) {
        MemoryState.Hold all = outbox.checkout(Set.of("orders", "workload"), Integer.MAX_VALUE);
        all.positions.forEach(change);
        outbox.release(all);
    }

    /** Loses the messages of the last commit if nobody has had any since. */
    private static final class LastCommit extends MemoryState implements Forgetful {
        private List<Written> last = List.of();

        @Override
        public void commit(List<Written> messages) {
            synchronized (this) {
                last = messages;
            }
            super.commit(messages);
        }

        @Override
        public synchronized Hold checkout(Set<String> topics, int limit) {
            Hold hold = super.checkout(topics, limit);
            if (!hold.messages.isEmpty()) {
                last = List.of();
            }
            return hold;
        }

        @Override
        public synchronized void crash() {
            List<Long> lost = last.stream().map(Written::position).toList();
            eachReady(
                    this, (partition, positions) -> partition.messages.keySet().removeAll(lost));
        }
    }

    /** Loses what has never been handed out. */
    private static final class NewMessages extends MemoryState implements Forgetful {
        private final Set<Long> handedOut = new HashSet<>();

        @Override
        public synchronized Hold checkout(Set<String> topics, int limit) {
            Hold hold = super.checkout(topics, limit);
            hold.positions.values().forEach(handedOut::addAll);
            return hold;
        }

        @Override
        public synchronized void crash() {
            if (handedOut.size() > BUSY) {
                Set<Long> known = Set.copyOf(handedOut);
                eachReady(
                        this,
                        (partition, positions) -> partition.messages.keySet().retainAll(known));
            }
        }
    }

    /** Brings back the message that was settled last, if nothing has happened since, or if much had happened before. */
    private static final class LastClose extends MemoryState implements Forgetful {
        private final boolean busy;
        private int closes;
        private @Nullable Written last;

        LastClose(boolean busy) {
            this.busy = busy;
        }

        @Override
        public void commit(List<Written> messages) {
            forget();
            super.commit(messages);
        }

        @Override
        public synchronized Hold checkout(Set<String> topics, int limit) {
            forget();
            return super.checkout(topics, limit);
        }

        private synchronized void forget() {
            if (!busy) {
                last = null;
            }
        }

        @Override
        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
            Set<String> done = outcomes.stream()
                    .filter(outcome ->
                            outcome instanceof Outcome.Published || busy && outcome instanceof Outcome.DeadLettered)
                    .map(outcome -> outcome.message().id())
                    .collect(Collectors.toSet());
            List<Written> settled = new ArrayList<>();
            hold.positions.forEach((partition, positions) -> positions.forEach(position -> {
                PersistedMessage message = partition.messages.get(position);
                if (message != null && done.contains(message.id())) {
                    settled.add(new Written(position, message));
                }
            }));
            super.settle(hold, outcomes);
            closes++;
            if (!settled.isEmpty()) {
                last = settled.get(settled.size() - 1);
            }
        }

        @Override
        public void crash() {
            Written again = again();
            if (again != null) {
                super.commit(List.of(again));
            }
        }

        private synchronized @Nullable Written again() {
            Written again = busy && closes < BUSY ? null : last;
            last = null;
            return again;
        }
    }

    /** Knows the partitions that were handed out. */
    private abstract static class Touched extends MemoryState implements Forgetful {
        private final Set<Partition> touched = new HashSet<>();

        @Override
        public synchronized Hold checkout(Set<String> topics, int limit) {
            Hold hold = super.checkout(topics, limit);
            touched.addAll(hold.positions.keySet());
            return hold;
        }

        @Override
        public synchronized void crash() {
            touched.forEach(this::crash);
        }

        abstract void crash(Partition partition);
    }

    private static final class NoReasons extends MemoryState implements Forgetful {
        private boolean crashed;

        @Override
        public synchronized void crash() {
            crashed = true;
        }

        @Override
        public synchronized List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit) {
            List<DeadLetter> letters = super.deadLetters(topic, afterId, limit);
            return crashed
                    ? letters.stream()
                            .map(letter -> new DeadLetter(letter.message(), "", letter.diedAt()))
                            .toList()
                    : letters;
        }
    }

    private static final class Recounting extends MemoryState implements Forgetful {
        private boolean crashed;

        @Override
        public synchronized void crash() {
            crashed = true;
        }

        @Override
        public synchronized Written write(OutgoingMessage message) {
            Written written = super.write(message);
            return crashed ? new Written(written.position() - 1_000_000, written.message()) : written;
        }
    }

    /** Its batches close without a failure as long as it is open itself. */
    private static final class NeverFailsToClose extends PassingStore {
        private volatile boolean closed;

        NeverFailsToClose(Store store) {
            super(store);
        }

        @Override
        MessageBatch batch(MessageBatch batch) {
            return new PassingBatch(batch) {
                @Override
                public void close() {
                    try {
                        super.close();
                    } catch (HoldLostException | StoreException e) {
                        if (closed) {
                            throw e;
                        }
                    }
                }
            };
        }

        @Override
        public void close() {
            closed = true;
            super.close();
        }
    }

    /** After a checkout that failed, all others fail. */
    private static final class GivesUp extends PassingStore {
        private volatile @Nullable StoreException failure;

        GivesUp(Store store) {
            super(store);
        }

        @Override
        public MessageBatch checkout(Set<String> topics, int limit) {
            StoreException before = failure;
            if (before != null) {
                throw new StoreException("The connection is broken: " + before.getMessage(), before);
            }
            try {
                return super.checkout(topics, limit);
            } catch (StoreException e) {
                failure = e;
                throw e;
            }
        }
    }
}
