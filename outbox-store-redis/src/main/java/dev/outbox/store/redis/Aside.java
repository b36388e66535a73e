package dev.outbox.store.redis;

import dev.outbox.internal.Log;
import dev.outbox.store.support.SetAside;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What others have spoilt: partitions whose keys cannot be used, and members of the index that are no partitions. They
 * are left alone for a while and tried again, so that the others go on. When they are repaired, they are served again
 * by themselves. Operators see them among the failing partitions, where {@link RedisOperations} looks for itself.
 *
 * <p>Safe for use by several threads.
 */
final class Aside {
    private static final Log LOG = Log.of(Aside.class);
    private static final Duration REST = Duration.ofSeconds(5);

    /** Of more than this it is not remembered what was said. */
    private static final int MOST_SAID = 1_000;

    private final SetAside<Partition> resting = new SetAside<>(REST);
    private final Set<String> said = ConcurrentHashMap.newKeySet();

    /** A partition cannot be used as it is. */
    void add(Partition partition, String why) {
        resting.add(partition);
        say("Partition " + partition.number() + " of topic " + partition.topic()
                + " is left alone, and looked at again every few seconds: " + why);
    }

    /** What to say of an entry that cannot be handed out, and what to do. */
    static String ofEntry(KeySpace.Keys keys, StreamEntry entry, String why) {
        String at = Reply.text(keys.messages());
        String position = Reply.text(entry.position());
        return "The entry " + position + " of " + at + " cannot be read as a message, and stops its partition: " + why
                + ". Others have written it, or have changed it. Once it is deleted (XDEL '" + at + "' " + position
                + ") the partition goes on within ten seconds";
    }

    /** What to say of keys that cannot be used. */
    static String ofKeys(String why) {
        return "its keys cannot be used: " + why;
    }

    /** Whether a partition is left alone now. */
    boolean has(Partition partition) {
        return resting.contains(partition);
    }

    /** The index has a member that is no partition. */
    void noteMember(String member) {
        say("The index of the outbox has a member that is no partition, and that is passed over: '" + member + "'");
    }

    private void say(String what) {
        if (said.size() < MOST_SAID && said.add(what)) {
            LOG.warn("[OUTBOX-403] {}. Operations.failingPartitions() has more", what);
        }
    }
}
