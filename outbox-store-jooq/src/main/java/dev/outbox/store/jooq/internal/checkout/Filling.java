package dev.outbox.store.jooq.internal.checkout;

import dev.outbox.store.jooq.internal.partition.ByteBudget;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.Partition;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Fills one batch: takes partitions that are in turn, shares the limit out among them, and goes on until the batch is full or
 * all that is free is in it. Confined to the thread of its checkout.
 *
 * <p>Why it ends: every pass makes one of two lists shorter. One that takes shortens the list of those in turn, by all it
 * tried, or by the one it took at least. One that reads anew shortens the list of the partitions that have more: together
 * these may have all that is left of the limit, so if each of them still had more than its share, each would have its whole
 * share, and the batch would be full.
 *
 * <p>How soon: a take tries twice as many as the one before, so that the number of takes grows with the logarithm of the
 * partitions, however many of them others hold. Reading anew, a partition that drops out leaves less to the others than it
 * was given. If half of them drop out, their number is halved; if fewer do, what is left is; and once less is left than there
 * are partitions, the first of these take all of it. So the number of reads grows with the logarithm, too.
 */
public final class Filling {
    /** How partitions are taken and read. */
    interface Access {
        /** Whether to take and read in one step, if so many are tried. */
        boolean isBestReadAtOnce(int tried);

        /** Takes at most some of the partitions; returns those that were taken, and nothing of them is read. */
        List<HeldPartition> take(List<Partition> tried, int most) throws SQLException;

        /** Takes the partitions, and reads at most so many messages of those that were taken. */
        List<HeldPartition> takeAndRead(List<Partition> tried, int limit) throws SQLException;

        /** Reads at most so many messages of partitions that are taken. */
        void read(List<HeldPartition> partitions, int limit) throws SQLException;

        /** Notes that another batch holds partitions. */
        void noteContention();
    }

    private final Access access;
    private final List<HeldPartition> held;
    private final List<Partition> inTurn;
    private final int limit;

    /**
     * A batch that is to be filled.
     *
     * @param held what the batch has already, to which all is added
     * @param inTurn what to try, in this order, of which nothing is held
     */
    Filling(Access access, List<HeldPartition> held, List<Partition> inTurn, int limit) {
        this.access = access;
        this.held = held;
        this.inTurn = new ArrayList<>(inTurn);
        this.limit = limit;
    }

    /** How many messages there is room for, which is for none if they have used up the {@link ByteBudget}. */
    static int room(List<HeldPartition> held, int limit) {
        if (ByteBudget.isSpent(held)) {
            return 0;
        }
        int room = limit;
        for (HeldPartition partition : held) {
            room -= partition.messages.size();
        }
        return room;
    }

    /**
     * Fills the batch.
     *
     * @param first how many partitions to begin with
     * @param isNew whether the partitions were found just now; else it stops as soon as less than half of what it takes has
     *     messages, because looking for partitions finds the others sooner than trying one after the other
     */
    void run(int first, boolean isNew) throws SQLException {
        int wanted = Math.max(1, first);
        for (int room = room(held, limit); room > 0; room = room(held, limit)) {
            List<HeldPartition> more =
                    held.stream().filter(partition -> partition.hasMore).toList();
            if (!more.isEmpty()) {
                readAnew(more, room);
                continue;
            }
            int places = Math.min(room, TopicSet.MOST_PARTITIONS - held.size());
            if (places == 0 || inTurn.isEmpty()) {
                return;
            }
            List<HeldPartition> taken = takeAndRead(Math.min(wanted, inTurn.size()), places, room);
            long empty = taken.stream()
                    .filter(partition -> partition.messages.isEmpty())
                    .count();
            if (!isNew && 2 * empty > taken.size()) {
                return;
            }
            wanted = 2 * Math.min(wanted, inTurn.size() + 1);
        }
    }

    private List<HeldPartition> takeAndRead(int wanted, int places, int room) throws SQLException {
        boolean atOnce = access.isBestReadAtOnce(Math.min(wanted, places));
        List<Partition> tried = List.copyOf(inTurn.subList(0, atOnce ? Math.min(wanted, places) : wanted));
        List<HeldPartition> taken = atOnce ? access.takeAndRead(tried, room) : access.take(tried, places);
        if (taken.size() < Math.min(tried.size(), places)) {
            access.noteContention();
        }
        if (taken.size() < places || tried.size() <= places) {
            inTurn.subList(0, tried.size()).clear();
        } else {
            // With so many it did not come to the others, which keep their turn.
            Set<Partition> known = new HashSet<>();
            taken.forEach(partition -> known.add(partition.partition));
            inTurn.removeIf(known::contains);
        }
        if (!atOnce && !taken.isEmpty()) {
            access.read(taken, room);
        }
        held.addAll(taken);
        return taken;
    }

    /** From where each was begun with, because two reads of one partition are not to be joined, see {@link HeldPartition#restart}. */
    private void readAnew(List<HeldPartition> more, int room) throws SQLException {
        int all = room;
        for (HeldPartition partition : more) {
            all += partition.restart();
        }
        access.read(more, all);
        if (room(held, limit) > 0 && more.stream().allMatch(partition -> partition.hasMore)) {
            throw new IllegalStateException("Reading " + more.size()
                    + " partitions anew made no progress: each has more than it was asked for, and"
                    + " together they have less than that");
        }
    }
}
