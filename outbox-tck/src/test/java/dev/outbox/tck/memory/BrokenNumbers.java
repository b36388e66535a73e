package dev.outbox.tck.memory;

import dev.outbox.OutgoingMessage;
import dev.outbox.store.memory.internal.MemoryState;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Stores that are wrong at a few numbers, which nobody thinks of. */
final class BrokenNumbers {
    static final List<Broken> ALL = List.of(
            sweeping("leaves one out of batches of 512", () -> new MemoryState() {
                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Hold hold = super.checkout(topics, limit);
                            if (hold.messages.size() == 512 && hold.positions.size() == 1) {
                                hold.messages.remove(255);
                                hold.positions.values().forEach(positions -> positions.remove(255));
                            }
                            return hold;
                        }
                    })
                    .breaks("OBX-ORDER-1"),
            sweeping("counts milliseconds of a delay in 32 bits", () -> new MemoryState() {
                        @Override
                        public boolean isReady(Partition partition) {
                            Failure failure = partition.failure;
                            if (failure == null || super.isReady(partition)) {
                                return super.isReady(partition);
                            }
                            long left = failure.nextAttempt().toEpochMilli() - now().toEpochMilli();
                            boolean cut = left > 1L << 32 && left % (1L << 32) < 1 << 20;
                            return partition.holder == null && !partition.messages.isEmpty() && cut;
                        }
                    })
                    .breaks("OBX-RETRY-2"),
            sweeping("has partitions of 15 bits", () -> new MemoryState() {
                        @Override
                        public synchronized Written write(OutgoingMessage m) {
                            int cut = m.partition() == 1 << 15 ? m.partition() - 1 : m.partition();
                            return super.write(
                                    new OutgoingMessage(m.id(), m.topic(), cut, m.key(), m.headers(), m.payload()));
                        }
                    })
                    .breaks("OBX-PAYLOAD-1"),
            sweeping("loses the last byte of a page", () -> new MemoryState() {
                        @Override
                        public synchronized Written write(OutgoingMessage m) {
                            byte[] payload = m.payload();
                            byte[] kept =
                                    payload.length == 1 << 14 ? Arrays.copyOf(payload, payload.length - 1) : payload;
                            return super.write(
                                    new OutgoingMessage(m.id(), m.topic(), m.partition(), m.key(), m.headers(), kept));
                        }
                    })
                    .breaks("OBX-PAYLOAD-2"),
            sweeping("finds nothing where the shares of a batch overflow", () -> new MemoryState() {
                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            long ready = backlog().size();
                            return super.checkout(
                                    ready > 171 && ready < 174 && limit == 100 ? Set.of() : topics, limit);
                        }
                    })
                    .breaks("OBX-LIMIT-2"),
            sweeping("takes 255 topics", () -> new MemoryState() {
                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            return super.checkout(
                                    topics.stream()
                                            .sorted(Comparator.comparingInt(String::hashCode))
                                            .skip(topics.size() > 255 ? topics.size() - topics.size() % 256 : 0)
                                            .collect(Collectors.toSet()),
                                    limit);
                        }
                    })
                    .breaks("OBX-FILTER-1"));

    private BrokenNumbers() {}

    private static Broken sweeping(String idea, Supplier<MemoryState> outbox) {
        return Broken.outbox(idea, outbox).testedFor(Broken.Also.SWEEPS);
    }
}
