package dev.outbox.tck.memory;

import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.Operations.Backlog;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.spi.Outcome;
import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.tck.memory.Copies.Copied;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Stores that are not what they should be when a copy that lags has taken the place of their server. */
final class BrokenFailovers {
    static final List<Broken> ALL = List.of(
            outbox("loses the last writes in a failover and says that it loses nothing", Liar::new)
                    .breaks("OBX-FAILOVER-1"),
            outbox("forgets dead letters in a failover", NoDeadLetters::new).breaks("OBX-FAILOVER-1"),
            outbox("keeps half of the last transaction in a failover", HalfTransaction::new)
                    .breaks("OBX-FAILOVER-2"),
            outbox("keeps half of the last close in a failover", HalfClose::new).breaks("OBX-FAILOVER-2"),
            outbox("keeps what open transactions wrote in a failover", OpenTransactions::new)
                    .breaks("OBX-FAILOVER-2"),
            outbox("forgets headers in a failover", NoHeaders::new).breaks("OBX-FAILOVER-2"),
            outbox("puts first what is written after a failover", NewFirst::new).breaks("OBX-FAILOVER-3"),
            Broken.client("settles by place what it held before a failover", SettlesByPlace::new)
                    .testedFor(Broken.Also.FAILOVERS)
                    .breaks("OBX-FAILOVER-4"),
            outbox("counts ids from what its copy has", CountedIds::new).breaks("OBX-ID-1", "OBX-FAILOVER-5"),
            outbox("forgets in a failover which partitions have messages", NoIndex::new)
                    .breaks("OBX-FAILOVER-6"),
            outbox("counts after a failover what it had before", OldCounts::new).breaks("OBX-FAILOVER-6"));

    private BrokenFailovers() {}

    private static Broken outbox(String idea, Supplier<MemoryState> outbox) {
        return Broken.outbox(idea, outbox).testedFor(Broken.Also.FAILOVERS);
    }

    private static final class Liar extends MemoryState implements Copied {
        @Override
        public boolean mayLoseWrites() {
            return false;
        }

        @Override
        public void failOver(MemoryState lagging) {
            become(lagging);
        }
    }

    private static final class NoDeadLetters extends MemoryState implements Copied {
        @Override
        public void failOver(MemoryState lagging) {
            become(lagging);
            discard(deadLetters("orders", null, Integer.MAX_VALUE).stream()
                    .map(letter -> letter.message().id())
                    .toList());
        }
    }

    /** Its copy gets messages one by one. */
    private static final class HalfTransaction extends MemoryState implements Copied {
        private List<Written> last = List.of();

        @Override
        public void commit(List<Written> messages) {
            synchronized (this) {
                last = List.copyOf(messages);
            }
            super.commit(messages);
        }

        @Override
        public synchronized void failOver(MemoryState lagging) {
            List<Written> half = last.subList(0, last.size() / 2);
            become(lagging);
            commit(half);
        }
    }

    /** Its copy gets what was published before it gets what failed. */
    private static final class HalfClose extends MemoryState implements Copied {
        private Set<String> published = Set.of();

        @Override
        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
            super.settle(hold, outcomes);
            published = outcomes.stream()
                    .filter(outcome -> outcomes.size() > 1 && outcome instanceof Outcome.Published)
                    .map(outcome -> outcome.message().id())
                    .collect(Collectors.toSet());
        }

        @Override
        public synchronized void failOver(MemoryState lagging) {
            become(lagging);
            BrokenCrashes.eachReady(
                    this,
                    (partition, positions) -> partition.messages.values().removeIf(m -> published.contains(m.id())));
        }
    }

    /** Those that were rolled back, too. */
    private static final class OpenTransactions extends MemoryState implements Copied {
        private final List<Written> open = new ArrayList<>();

        @Override
        public synchronized Written write(OutgoingMessage message) {
            Written written = super.write(message);
            open.add(written);
            return written;
        }

        @Override
        public void commit(List<Written> messages) {
            synchronized (this) {
                open.removeAll(messages);
            }
            super.commit(messages);
        }

        @Override
        public synchronized void failOver(MemoryState lagging) {
            become(lagging);
            super.commit(open);
        }
    }

    private static final class NoHeaders extends MemoryState implements Copied {
        @Override
        public synchronized void failOver(MemoryState lagging) {
            become(lagging);
            BrokenCrashes.eachReady(
                    this,
                    (partition, positions) -> partition.messages.replaceAll((position, m) -> new PersistedMessage(
                            m.id(),
                            m.topic(),
                            m.partition(),
                            m.key(),
                            Map.of(),
                            m.payload(),
                            m.attempts(),
                            m.createdAt())));
        }
    }

    /** Its positions come from a clock, and that of the copy is slow. */
    private static final class NewFirst extends MemoryState implements Copied {
        private boolean slow;

        @Override
        public synchronized void failOver(MemoryState lagging) {
            become(lagging);
            slow = true;
        }

        @Override
        public synchronized Written write(OutgoingMessage message) {
            Written written = super.write(message);
            return slow ? new Written(written.position() - 1_000_000, written.message()) : written;
        }
    }

    /** Where its hold is lost while it is open, it publishes as many messages as it had. */
    private static final class SettlesByPlace extends PassingStore {
        private volatile boolean closed;

        SettlesByPlace(Store store) {
            super(store);
        }

        @Override
        MessageBatch batch(MessageBatch batch) {
            return new PassingBatch(batch) {
                private int published;

                @Override
                public void markPublished(PersistedMessage message, @Nullable String publishId) {
                    super.markPublished(message, publishId);
                    published++;
                }

                @Override
                public void close() {
                    try {
                        super.close();
                    } catch (HoldLostException | StoreException e) {
                        if (closed || published == 0) {
                            throw e;
                        }
                        MessageBatch again = SettlesByPlace.super.checkout(Set.of("orders"), published);
                        again.messages().forEach(message -> again.markPublished(message, null));
                        again.close();
                        throw e;
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

    private static final class CountedIds extends MemoryState {
        @Override
        public synchronized Written write(OutgoingMessage m) {
            Written plain = super.write(m);
            PersistedMessage p = plain.message();
            return new Written(
                    plain.position(),
                    new PersistedMessage(
                            "m-" + plain.position(),
                            p.topic(),
                            p.partition(),
                            p.key(),
                            p.headers(),
                            p.payload(),
                            0,
                            p.createdAt()));
        }
    }

    /** Its copy has an index of its own, which knows already that a partition was emptied. */
    private static final class NoIndex extends MemoryState implements Copied {
        private final Set<PartitionName> hidden = new HashSet<>();

        @Override
        public synchronized void failOver(MemoryState lagging) {
            Set<PartitionName> before = filled();
            become(lagging);
            hidden.addAll(filled());
            hidden.removeAll(before);
        }

        private Set<PartitionName> filled() {
            return backlog().stream()
                    .map(each -> new PartitionName(each.topic(), each.partition()))
                    .collect(Collectors.toSet());
        }

        @Override
        public boolean isReady(Partition partition) {
            return super.isReady(partition) && !hidden.contains(partition.name);
        }

        @Override
        public void commit(List<Written> messages) {
            synchronized (this) {
                messages.forEach(each -> hidden.remove(
                        new PartitionName(each.message().topic(), each.message().partition())));
            }
            super.commit(messages);
        }
    }

    private static final class OldCounts extends MemoryState implements Copied {
        private @Nullable List<Backlog> counted;

        @Override
        public synchronized void failOver(MemoryState lagging) {
            List<Backlog> before = super.backlog();
            become(lagging);
            counted = before;
        }

        @Override
        public synchronized List<Backlog> backlog() {
            List<Backlog> old = counted;
            return old == null ? super.backlog() : old;
        }
    }
}
