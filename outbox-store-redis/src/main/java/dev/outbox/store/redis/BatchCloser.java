package dev.outbox.store.redis;

import dev.outbox.spi.BatchOutcomes;
import dev.outbox.spi.Outcome;
import dev.outbox.store.support.PartitionOutcome;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes the call of the script that closes a batch, with all its outcomes. */
final class BatchCloser {
    private static final byte[] NONE = {};

    private final List<byte[]> arguments = new ArrayList<>();

    /** What there still is; null if that is all that was read. */
    private final @Nullable Set<StreamEntry> left;

    /** Partitions that messages move to, in the order of their keys. */
    private final Map<Partition, Integer> targets = new LinkedHashMap<>();

    private BatchCloser(@Nullable Set<StreamEntry> left) {
        this.left = left;
    }

    /**
     * Makes the call for all that was read.
     *
     * @param outcomes of the messages of all partitions, one after the other
     */
    static Command close(Hold hold, BatchOutcomes outcomes) {
        return close(hold, outcomes, null);
    }

    /** The same for those messages alone that are still there, some having been deleted by hand. */
    static Command close(Hold hold, BatchOutcomes outcomes, @Nullable Set<StreamEntry> left) {
        BatchCloser closer = new BatchCloser(left);
        closer.begin(hold, hold.partitions);
        int first = 0;
        for (HeldPartition held : hold.partitions) {
            closer.addLast(held, outcomes, first);
            first += held.entries.size();
        }
        first = 0;
        for (HeldPartition held : hold.partitions) {
            closer.add(hold, held, outcomes, first);
            first += held.entries.size();
        }
        return closer.call(hold, hold.partitions);
    }

    /** Makes the call for a batch of which every message was published, when another one is to follow. */
    static Command next(Hold hold, byte[] leaseMillis) {
        BatchCloser closer = new BatchCloser(null);
        closer.begin(hold, hold.partitions);
        for (HeldPartition held : hold.partitions) {
            closer.addLast(held.last());
        }
        for (HeldPartition held : hold.partitions) {
            closer.arguments.add(held.keys.member());
            closer.addTrim(held.last());
        }
        closer.arguments.add(leaseMillis);
        List<byte[]> keys = keys(hold, hold.partitions);
        keys.add(hold.keySpace.knocks());
        return Script.CLOSE_AND_KEEP.call(keys, closer.arguments);
    }

    private void begin(Hold hold, List<HeldPartition> some) {
        arguments.add(hold.token);
        add(some.size());
        some.forEach(held -> add(held.fence));
    }

    private static List<byte[]> keys(Hold hold, List<HeldPartition> some) {
        List<byte[]> keys = new ArrayList<>(2 + 4 * some.size());
        keys.add(hold.keySpace.ready());
        keys.add(hold.keySpace.letters());
        for (HeldPartition held : some) {
            keys.add(held.keys.messages());
            keys.add(held.keys.state());
            keys.add(held.keys.attempts());
            keys.add(held.keys.dead());
        }
        return keys;
    }

    private Command call(Hold hold, List<HeldPartition> some) {
        List<byte[]> keys = keys(hold, some);
        targets.keySet().forEach(to -> keys.add(hold.keySpace.keys(to).messages()));
        keys.add(hold.keySpace.died());
        return Script.CLOSE.call(keys, arguments);
    }

    private @Nullable Outcome outcome(HeldPartition held, BatchOutcomes outcomes, int first, int index) {
        return left == null || left.contains(held.entries.get(index)) ? outcomes.at(first + index) : null;
    }

    private void addLast(HeldPartition held, BatchOutcomes outcomes, int first) {
        for (int i = held.entries.size() - 1; i >= 0; i--) {
            if (outcome(held, outcomes, first, i) != null) {
                addLast(held.entries.get(i));
                return;
            }
        }
        arguments.addAll(List.of(NONE, NONE));
    }

    private void addLast(StreamEntry last) {
        arguments.add(last.position());
        arguments.add(last.id());
    }

    private void add(Hold hold, HeldPartition held, BatchOutcomes outcomes, int first) {
        int size = held.entries.size();
        PartitionOutcome folded = PartitionOutcome.of(size, i -> outcome(held, outcomes, first, i));
        int prefix = left == null ? folded.settledPrefix() : 0;
        List<byte[]> deleted = new ArrayList<>();
        List<byte[]> forgotten = new ArrayList<>();
        List<byte[]> failed = new ArrayList<>();
        List<byte[]> buried = new ArrayList<>();
        List<byte[]> moved = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            StreamEntry entry = held.entries.get(i);
            Outcome outcome = outcome(held, outcomes, first, i);
            if (outcome instanceof Outcome.Failed) {
                failed.add(entry.position());
            } else if (outcome instanceof Outcome.DeadLettered dead) {
                buried.add(entry.position());
                buried.add(KeySpace.bytes(Integer.toString(held.attempts(entry) + 1)));
                buried.add(KeySpace.bytes(dead.reason()));
            } else if (outcome instanceof Outcome.Moved to) {
                Partition target = new Partition(to.topic(), to.partition());
                int key = targets.computeIfAbsent(target, next -> 3 + 4 * hold.partitions.size() + targets.size());
                moved.add(entry.position());
                moved.add(KeySpace.bytes(Integer.toString(key)));
                moved.add(hold.keySpace.keys(target).member());
            }
            if (PartitionOutcome.isSettled(outcome)) {
                if (i >= prefix) {
                    deleted.add(entry.position());
                }
                if (held.attempts(entry) > 0) {
                    forgotten.add(entry.position());
                }
            }
        }
        arguments.add(held.keys.member());
        if (prefix == 0) {
            arguments.add(NONE);
        } else {
            addTrim(held.entries.get(prefix - 1));
        }
        addAll(deleted);
        addAll(forgotten);
        addAll(failed);
        if (folded.isFailing()) {
            arguments.add(held.entries.get(folded.firstFailed()).id());
            add(folded.reason());
            add(Long.toString(folded.delayMillis()));
        }
        add(buried.size() / 3);
        arguments.addAll(buried);
        add(moved.size() / 3);
        arguments.addAll(moved);
    }

    /**
     * Trimming deletes by range, which is safe here alone: positions are given at commit, so nothing can have come to
     * lie between what was read from the start, without a gap, and under this hold; and the script has looked that the
     * last of it is still there.
     */
    private void addTrim(StreamEntry last) {
        add(StreamEntry.behind(Reply.text(last.position())));
    }

    private void addAll(List<byte[]> positions) {
        add(positions.size());
        arguments.addAll(positions);
    }

    private void add(int number) {
        add(Integer.toString(number));
    }

    private void add(String text) {
        arguments.add(KeySpace.bytes(text));
    }
}
