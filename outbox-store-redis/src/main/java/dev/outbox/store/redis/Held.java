package dev.outbox.store.redis;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import redis.clients.jedis.Protocol;

/** A partition that a batch holds, and what the batch has read of it. Confined to the thread of its batch. */
final class Held {
    final Partition partition;

    final Place.Keys keys;

    /** What, with the batch's token, this hold is known by. */
    final String fence;

    final ArrayList<Entry> entries = new ArrayList<>();

    /** How many messages the next read may return. */
    int share;

    /** Whether the last read found all that it was allowed to, so that there may be more. */
    boolean full;

    private final Map<String, Integer> attempts = new HashMap<>();

    Held(Partition partition, Place.Keys keys, String fence, List<Object> attempts, int share) {
        this.partition = partition;
        this.keys = keys;
        this.fence = fence;
        this.share = share;
        for (int i = 0; i < attempts.size(); i += 2) {
            this.attempts.put(Reply.text(attempts.get(i)), (int) Reply.number(attempts.get(i + 1)));
        }
    }

    /** Takes over what was read behind what is there. */
    void add(List<Object> read) {
        entries.ensureCapacity(entries.size() + read.size());
        for (Object entry : read) {
            entries.add(Entry.of(entry));
        }
        full = read.size() >= share;
    }

    /** Whether nothing in it has failed, also not behind what was read. */
    boolean isSound() {
        return attempts.isEmpty();
    }

    int attempts(Entry entry) {
        return attempts.isEmpty() ? 0 : attempts.getOrDefault(Reply.text(entry.position()), 0);
    }

    /** If it has any. */
    Entry last() {
        return entries.get(entries.size() - 1);
    }

    /** Behind what the next read begins, for {@code XRANGE}. */
    String after() {
        return entries.isEmpty() ? "-" : "(" + Reply.text(last().position());
    }

    /** Reads from the first to the last of the entries. */
    Command readAgain() {
        return Command.of(
                Protocol.Command.XRANGE,
                keys.messages(),
                entries.get(0).position(),
                last().position(),
                Place.bytes("COUNT"),
                Place.bytes(Integer.toString(entries.size())));
    }

    /** Those of the entries that are among what was read again: the same message at the same position. */
    List<Entry> among(List<Object> read) {
        Map<String, byte[]> ids = new HashMap<>();
        for (Object reply : read) {
            Entry entry = Entry.of(reply);
            ids.put(Reply.text(entry.position()), entry.id());
        }
        return entries.stream()
                .filter(entry -> Arrays.equals(ids.get(Reply.text(entry.position())), entry.id()))
                .toList();
    }
}
