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
 * Fills one batch: takes partitions that are in turn, shares the limit among them, and goes on until the batch is full
 * or holds all that is free. Confined to the thread of its checkout.
 *
 * <p>Why it ends: every pass makes one of two lists shorter. A pass that takes shortens the list of partitions in
 * turn, by all that it tried, or at least by the one that it took. A pass that reads again shortens the list of
 * partitions that have more. Together these may have all that is left of the limit. If each of them still had more
 * than its share, each would have its whole share, and the batch would be full.
 *
 * <p>How soon it ends: a take tries twice as many partitions as the one before. So the number of takes grows with the
 * logarithm of the partitions, even if others hold many of them. In a pass that reads again, a partition that drops
 * out leaves less to the others than it was given. If half of them drop out, their number is halved. If fewer do, the
 * messages that are left are halved. When fewer messages are left than there are partitions, the first partitions take
 * all of them. So the number of reads grows with the logarithm, too.
 */
public final class Filling {
    /** How partitions are taken and read. */
    interface Access {
        /** Whether to take and read in one step, if this many partitions are tried. */
        boolean isBestReadAtOnce(int tried);

        /** Takes at most a number of the partitions, and returns those that were taken. It reads nothing of them. */
        List<HeldPartition> take(List<Partition> tried, int most) throws SQLException;

        /** Takes the partitions, and reads at most a number of messages of those that were taken. */
        List<HeldPartition> takeAndRead(List<Partition> tried, int limit) throws SQLException;

        /** Reads at most a number of messages of partitions that are taken. */
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
     * @param held the partitions that the batch has already, to which it adds all others
     * @param inTurn the partitions to try, in this order; the batch holds none of them
     */
    Filling(Access access, List<HeldPartition> held, List<Partition> inTurn, int limit) {
        this.access = access;
        this.held = held;
        this.inTurn = new ArrayList<>(inTurn);
        this.limit = limit;
    }

    /** How many messages there is room for. There is none if they have used up the {@link ByteBudget}. */
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
     * @param isNew whether discovery has just found the partitions. If not, this method stops as soon as less than
     *     half of the partitions that it takes have messages, because discovery finds the others sooner
     */
    void run(int first, boolean isNew) throws SQLException {
        int wanted = Math.max(1, first);
        for (int room = room(held, limit); room > 0; room = room(held, limit)) {
            List<HeldPartition> more =
                    held.stream().filter(partition -> partition.hasMore).toList();
            if (!more.isEmpty()) {
                readAgain(more, room);
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
            // The others were not tried, because these were enough. They keep their turn.
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

    /**
     * Reads partitions again from where their first read began. Two reads of one partition must not be joined, see
     * {@link HeldPartition#restart}.
     */
    private void readAgain(List<HeldPartition> more, int room) throws SQLException {
        int all = room;
        for (HeldPartition partition : more) {
            all += partition.restart();
        }
        access.read(more, all);
        if (room(held, limit) > 0 && more.stream().allMatch(partition -> partition.hasMore)) {
            throw new IllegalStateException("Reading " + more.size()
                    + " partitions again made no progress: each has more than it was asked for, and"
                    + " together they have less than that");
        }
    }
}
