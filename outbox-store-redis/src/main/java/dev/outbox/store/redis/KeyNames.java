package dev.outbox.store.redis;

import dev.outbox.ConfigurationException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What the keys of an outbox are called: all begin with the prefix, whose hash tag decides in which slot of a cluster
 * they are. In a spread outbox there are several tags, and a partition's number says which is its own.
 */
final class KeyNames {
    private static final int LONGEST_PREFIX = 200;

    /** Every poll asks every slot. */
    static final int MOST_SPREAD = 256;

    private final String prefix;
    private final int spread;
    private final List<KeySpace> keySpaces;

    /**
     * Checks them.
     *
     * @param prefix with exactly one hash tag
     * @param spread how many tags there are, 1 or more
     */
    KeyNames(String prefix, int spread) {
        int begin = prefix.indexOf('{');
        int end = prefix.indexOf('}', begin + 1);
        boolean once =
                begin >= 0 && prefix.indexOf('{', begin + 1) < 0 && prefix.indexOf('}') == prefix.lastIndexOf('}');
        if (!once
                || end <= begin + 1
                || prefix.length() > LONGEST_PREFIX
                || prefix.chars().anyMatch(c -> c <= ' ' || c == 127)) {
            throw new ConfigurationException("Not a prefix for the keys of an outbox: '" + prefix
                    + "'. Expected at most "
                    + LONGEST_PREFIX + " characters without blanks and with one hash tag that is not empty, as in"
                    + " shop:{outbox} or {shop}: it keeps the keys of the outbox together in a cluster, and on one"
                    + " server it does no harm.");
        }
        if (spread < 1 || spread > MOST_SPREAD) {
            throw new ConfigurationException(
                    "spread is " + spread + "; expected 1 to " + MOST_SPREAD + ", the number of hash tags.");
        }
        this.prefix = prefix;
        this.spread = spread;
        this.keySpaces = IntStream.range(0, spread).mapToObj(this::newKeySpace).toList();
    }

    String prefix() {
        return prefix;
    }

    int spread() {
        return spread;
    }

    /** Which of the tags a partition has. */
    int index(int partition) {
        return partition % spread;
    }

    /** The hash tag of a partition, without its braces. */
    String tag(int partition) {
        String tag = prefix.substring(prefix.indexOf('{') + 1, prefix.indexOf('}'));
        return spread == 1 ? tag : tag + "-" + index(partition);
    }

    private KeySpace newKeySpace(int index) {
        String before = prefix.substring(0, prefix.indexOf('{') + 1);
        return new KeySpace(index, before + tag(index) + prefix.substring(prefix.indexOf('}')) + ":");
    }

    /** Where a partition lives. */
    KeySpace keySpace(int partition) {
        return keySpaces.get(index(partition));
    }

    /** Partitions by where they live, in the order given. */
    Map<KeySpace, List<Partition>> byKeySpace(List<Partition> partitions) {
        Map<KeySpace, List<Partition>> byKeySpace = new HashMap<>();
        partitions.forEach(partition -> byKeySpace
                .computeIfAbsent(keySpace(partition.number()), none -> new ArrayList<>())
                .add(partition));
        return byKeySpace;
    }

    /** Every key space of this outbox. */
    List<KeySpace> keySpaces() {
        return keySpaces;
    }

    /** Where those are told that something was committed. */
    String channel() {
        return prefix + ":wake";
    }
}
