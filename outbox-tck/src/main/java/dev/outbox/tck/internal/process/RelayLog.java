package dev.outbox.tck.internal.process;

import dev.outbox.tck.internal.history.History;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a relay in another process said of its rounds: {@code closing}, with the times of {@link System#nanoTime} at
 * which checkout was called and returned and at which it is about to call close, and with the ids; then {@code closed},
 * with the time. On one machine these clocks are one. Used by one thread at a time.
 */
public final class RelayLog {
    private final String name;
    private final Map<String, String> partitions;
    private final List<History.Delivered> delivered = new ArrayList<>();
    private final Set<String> settled = new HashSet<>();
    private List<History.Delivered> closing = List.of();
    private int batches;

    /** Knows the partitions of messages by their ids. */
    public RelayLog(String name, Map<String, String> partitions) {
        this.name = name;
        this.partitions = partitions;
    }

    public void add(String line) {
        String[] words = line.split(" ", -1);
        if (words[0].equals("closing")) {
            String batch = name + ", batch " + ++batches;
            closing = new ArrayList<>();
            for (int i = 4; i < words.length; i++) {
                closing.add(new History.Delivered(
                        words[i],
                        partitions.getOrDefault(words[i], "no partition"),
                        batch,
                        i - 4,
                        true,
                        Long.parseLong(words[1]),
                        Long.parseLong(words[2]),
                        Long.parseLong(words[3]),
                        Long.MAX_VALUE,
                        History.End.UNKNOWN));
            }
        } else if (words[0].equals("closed")) {
            for (History.Delivered d : closing) {
                settled.add(d.id());
                delivered.add(new History.Delivered(
                        d.id(),
                        d.partition(),
                        d.batch(),
                        d.index(),
                        true,
                        d.checkoutCalled(),
                        d.checkoutReturned(),
                        d.closeCalled(),
                        Long.parseLong(words[1]),
                        History.End.OK));
            }
            closing = List.of();
        }
    }

    public Set<String> settled() {
        return settled;
    }

    /** Ids of the batch that was being closed when it was last heard of. */
    public Set<String> unknown() {
        Set<String> ids = new HashSet<>();
        closing.forEach(d -> ids.add(d.id()));
        return ids;
    }

    /** All that it had in its hands, and what became of it as far as it said so. */
    public List<History.Delivered> delivered() {
        List<History.Delivered> all = new ArrayList<>(delivered);
        all.addAll(closing);
        return all;
    }
}
