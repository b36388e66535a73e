package dev.outbox.store.redis;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Protocol;

/** A partition that a batch holds, and what the batch has read of it. Confined to the thread of its batch. */
final class HeldPartition {
    final Partition partition;

    final KeySpace.Keys keys;

    /** What, with the batch's token, this hold is known by. */
    final String fence;

    final ArrayList<StreamEntry> entries = new ArrayList<>();

    /** How many messages the next read may return. */
    int share;

    /** How many messages follow those that were read, as far as the server was asked. */
    long left;

    /** What is wrong with the entry after those that were read, which stops the partition; null if nothing is. */
    @Nullable
    String problem;

    private final Map<String, Integer> attempts = new HashMap<>();

    HeldPartition(Partition partition, KeySpace.Keys keys, String fence, long left, List<Object> attempts) {
        this.partition = partition;
        this.keys = keys;
        this.fence = fence;
        this.left = left;
        for (int i = 0; i < attempts.size(); i += 2) {
            this.attempts.put(Reply.text(attempts.get(i)), (int) Reply.number(attempts.get(i + 1)));
        }
    }

    /** As the script that takes partitions answers. */
    static HeldPartition of(Partition partition, KeySpace.Keys keys, List<Object> answer) {
        return new HeldPartition(
                partition, keys, Reply.text(answer.get(0)), Reply.number(answer.get(1)), Reply.list(answer.get(2)));
    }

    /**
     * Adds entries that were read after those that are there, up to one that cannot be handed out, because nothing of
     * its partition may overtake it.
     */
    void add(List<Object> read) {
        problem = null;
        entries.ensureCapacity(entries.size() + read.size());
        for (Object reply : read) {
            StreamEntry entry = StreamEntry.of(reply);
            String wrong = entry.problem();
            if (wrong != null) {
                problem = Aside.ofEntry(keys, entry, wrong);
                left = 0;
                return;
            }
            entries.add(entry);
        }
        left = read.size() < share ? 0 : Math.max(0, left - read.size());
    }

    /** Whether no entry has failed and every entry can be handed out, also the one after those that were read. */
    boolean isSound() {
        return attempts.isEmpty() && problem == null;
    }

    int attempts(StreamEntry entry) {
        return attempts.isEmpty() ? 0 : attempts.getOrDefault(Reply.text(entry.position()), 0);
    }

    /** If it has any. */
    StreamEntry last() {
        return entries.get(entries.size() - 1);
    }

    /** The position after which the next read begins, for {@code XRANGE}. */
    String after() {
        return entries.isEmpty() ? "-" : "(" + Reply.text(last().position());
    }

    /**
     * Read again what is there from the first to the last of the entries, one after the other so that no answer is too
     * large.
     */
    List<Command> readAgain() {
        List<Command> reads = new ArrayList<>();
        int from = 0;
        long bytes = 0;
        for (int i = 0; i < entries.size(); i++) {
            bytes += entries.get(i).bytes();
            if (i + 1 == entries.size() || bytes + entries.get(i + 1).bytes() > ReadAhead.MOST_BYTES) {
                reads.add(Command.of(
                        Protocol.Command.XRANGE,
                        keys.messages(),
                        entries.get(from).position(),
                        entries.get(i).position(),
                        KeySpace.bytes("COUNT"),
                        KeySpace.bytes(Integer.toString(i + 1 - from))));
                from = i + 1;
                bytes = 0;
            }
        }
        return reads;
    }

    /** Those of the entries that are among what was read again: the same message at the same position. */
    List<StreamEntry> among(List<Object> read) {
        Map<String, byte[]> ids = new HashMap<>();
        for (Object reply : read) {
            StreamEntry entry = StreamEntry.of(reply);
            ids.put(Reply.text(entry.position()), entry.id());
        }
        return entries.stream()
                .filter(entry -> Arrays.equals(ids.get(Reply.text(entry.position())), entry.id()))
                .toList();
    }
}
