package dev.outbox.store.redis;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A hash slot's share of an outbox: keys that are always on one server, so that one transaction or script can use them
 * together.
 *
 * <pre>
 * …:ready            sorted set: partitions with messages, by when they may be taken: 0, the end of a lease, or
 *                    1e15 and the end
 *                    of a delay
 * …:messages:t#0     stream: the messages of partition 0 of topic t, in the order of their commits
 * …:state:t#0        hash: token, fence and end of the lease; token of the last close; the failing message and
 *                    its delay
 * …:attempts:t#0     hash: how often messages have failed, by the id of their entry; of failed ones alone
 * …:dead:t           stream: dead letters of topic t, those that died first coming first
 * …:letters          hash: where a dead letter is, by the id of its message
 * …:died             hash: the names of topics with dead letters
 * …:knocks           hash: when a checkout found all partitions of a topic held, by the name of the topic
 * </pre>
 *
 * <p>Streams are never deleted, even if they are empty: a new one could give out ids that are lower than before.
 *
 * <p>Safe for use by several threads. The keys it returns are not to be changed.
 */
final class KeySpace {
    /** If there are more partitions, the keys of some are built again now and then. */
    private static final int MOST_REMEMBERED = 10_000;

    private final int index;
    private final String base;
    private final byte[] ready;
    private final byte[] letters;
    private final byte[] died;
    private final byte[] knocks;
    private final Map<Partition, Keys> known = new ConcurrentHashMap<>();

    /**
     * What a partition has.
     *
     * @param member how the index calls it
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Keys(byte[] member, byte[] messages, byte[] state, byte[] attempts, byte[] dead) {}

    /**
     * Makes one.
     *
     * @param index its number within a spread outbox
     * @param base what all its keys begin with
     */
    KeySpace(int index, String base) {
        this.index = index;
        this.base = base;
        this.ready = key("ready");
        this.letters = key("letters");
        this.died = key("died");
        this.knocks = key("knocks");
    }

    /** Another one in the same slot, whose keys begin with those of this one and with that name. */
    KeySpace within(String name) {
        return new KeySpace(index, base + name + ":");
    }

    int index() {
        return index;
    }

    byte[] ready() {
        return ready;
    }

    byte[] letters() {
        return letters;
    }

    byte[] died() {
        return died;
    }

    byte[] knocks() {
        return knocks;
    }

    Keys keys(Partition partition) {
        Keys keys = known.get(partition);
        if (keys == null) {
            if (known.size() >= MOST_REMEMBERED) {
                known.clear();
            }
            String member = partition.member();
            keys = new Keys(
                    bytes(member),
                    key("messages:" + member),
                    key("state:" + member),
                    key("attempts:" + member),
                    dead(partition.topic()));
            known.put(partition, keys);
        }
        return keys;
    }

    byte[] dead(String topic) {
        return key("dead:" + topic);
    }

    byte[] key(String name) {
        return bytes(base + name);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
