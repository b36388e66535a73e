package dev.outbox.store.redis;

import dev.outbox.store.support.LeaseClock;
import dev.outbox.store.support.ThisProcess;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a batch holds: partitions of one key space, because what is settled together must be on one server. A token is
 * drawn whenever partitions are taken. After a failover to a replica that lagged, fences may be given out again, tokens
 * never. A batch that follows another one has its token.
 */
final class Hold {
    private static final String OWNER = " ";

    final KeySpace keySpace;
    final byte[] token;
    final List<HeldPartition> partitions = new ArrayList<>();

    /** All that was asked for, whether it is known to be held or the answer was lost. */
    final Set<Partition> asked = new LinkedHashSet<>();

    /** From before the lease was asked for. */
    final LeaseClock since;

    /**
     * One of its partitions was released before the others. It must not be taken with this token once more: its state
     * says that the token is closed. So no other batch may have this token.
     */
    boolean isLast;

    /** Messages after those that were read. They are dropped when the hold is released, once. */
    private @Nullable ReadAhead ahead;

    /** Of what is yet to be taken. For operators, the token says who has it. */
    Hold(KeySpace keySpace) {
        this(keySpace, KeySpace.bytes(UUID.randomUUID() + OWNER + ThisProcess.NAME), LeaseClock.now());
    }

    /** Who has a token. */
    static String owner(String token) {
        int owner = token.indexOf(OWNER);
        return owner < 0 ? "a process of an older version" : token.substring(owner + OWNER.length());
    }

    private Hold(KeySpace keySpace, byte[] token, LeaseClock since) {
        this.keySpace = keySpace;
        this.token = token;
        this.since = since;
    }

    /** Of a batch that follows, whose lease was asked for at that moment. */
    Hold next(LeaseClock since) {
        Hold next = new Hold(keySpace, token, since);
        partitions.forEach(held -> next.asked.add(held.partition));
        return next;
    }

    int messages() {
        int count = 0;
        for (HeldPartition held : partitions) {
            count += held.entries.size();
        }
        return count;
    }

    /** Of all messages. */
    long bytes() {
        long bytes = 0;
        for (HeldPartition held : partitions) {
            for (StreamEntry entry : held.entries) {
                bytes += entry.bytes();
            }
        }
        return bytes;
    }

    List<Partition> taken() {
        return partitions.stream().map(held -> held.partition).toList();
    }

    synchronized void readAhead(@Nullable ReadAhead begun) {
        ahead = begun;
    }

    /** For the close. */
    @Nullable
    synchronized ReadAhead takeAhead() {
        ReadAhead taken = ahead;
        ahead = null;
        return taken;
    }

    synchronized void dropAhead() {
        if (ahead != null) {
            ahead.drop();
            ahead = null;
        }
    }

    /** Renews the leases of some of the partitions, all or none. */
    Command renew(List<HeldPartition> some, byte[] lease) {
        List<byte[]> keys = new ArrayList<>(some.size() + 1);
        List<byte[]> arguments = new ArrayList<>(2 * some.size() + 2);
        keys.add(keySpace.ready());
        arguments.add(token);
        arguments.add(lease);
        for (HeldPartition held : some) {
            keys.add(held.keys.state());
            arguments.add(KeySpace.bytes(held.fence));
            arguments.add(held.keys.member());
        }
        return Script.RENEW.call(keys, arguments);
    }

    /** Frees some of the partitions as they are, whether they are held or not. */
    Command release(Collection<Partition> some) {
        List<byte[]> keys = new ArrayList<>(1 + 2 * some.size());
        List<byte[]> arguments = new ArrayList<>(1 + some.size());
        keys.add(keySpace.ready());
        arguments.add(token);
        for (Partition partition : some) {
            KeySpace.Keys of = keySpace.keys(partition);
            keys.add(of.messages());
            keys.add(of.state());
            arguments.add(of.member());
        }
        return Script.RELEASE.call(keys, arguments);
    }
}
