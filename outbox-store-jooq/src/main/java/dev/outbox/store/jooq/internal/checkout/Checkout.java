package dev.outbox.store.jooq.internal.checkout;

import dev.outbox.internal.Log;
import dev.outbox.spi.BatchOutcomes;
import dev.outbox.store.jooq.internal.connection.BorrowedConnection;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.partition.ByteBudget;
import dev.outbox.store.jooq.internal.partition.DiscoveryQuery;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.Partition;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One checkout: finds partitions, takes some, reads their messages. The transaction that it leaves open is the batch,
 * which holds the partitions for as long as the connection lives. Made for one call, and confined to its thread.
 */
public final class Checkout {
    /**
     * How often to begin again without the partitions that were locked and turned out to be empty, and to look for
     * others. After that it begins again without looking, which cannot go on forever.
     */
    private static final int ATTEMPTS = 4;

    /** After what time a row that cannot be read is read again. */
    private static final Duration READ_AGAIN_AFTER = Duration.ofSeconds(10);

    private static final Log LOG = Log.of(Checkout.class);

    private final TopicSet topicSet;
    private final Dialect dialect;
    private final BorrowedConnection borrowed;
    private final Discovery discovery;
    private final int limit;

    /** The most messages to ask for, which is less than the limit if the messages of the last batch were large. */
    private int most;

    /** Partitions that this checkout has locked and found empty. It does not try them again. */
    private final Set<Partition> emptyLocked = new HashSet<>();

    /** A checkout of at most a number of messages. */
    public Checkout(TopicSet topicSet, BorrowedConnection borrowed, int limit) {
        this.topicSet = topicSet;
        this.dialect = topicSet.dialect;
        this.borrowed = borrowed;
        this.discovery = new Discovery(topicSet, borrowed);
        this.limit = limit;
        this.most = Math.min(limit, topicSet.budget.expected());
    }

    /**
     * Returns the partitions that the batch holds, which are none if there are no messages.
     *
     * <p>If the batch has room, every message that was committed before the call, in a partition that is free and
     * ready, is in it (OBX-TX-3). Partitions that are known from earlier come first. But before a batch is left with
     * room, discovery looks for others. No message appears below a read position, so none is missed there.
     */
    public List<HeldPartition> run() throws SQLException {
        topicSet.lowWatermark.beforeCheckout(borrowed.connection());
        List<HeldPartition> held = takeAndRead(List.of());
        boolean isSpent = false;
        Set<Partition> passedOver = new LinkedHashSet<>();
        for (int attempt = 1; ; attempt++) {
            if (most < limit && MessageReader.messages(held) == most && ByteBudget.bytes(held) < ByteBudget.LEAST) {
                most = limit; // the messages are smaller than those of the last batch
                borrowed.rollback();
                topicSet.rotation.noteNoTurn(partitions(held));
                held = takeAndRead(List.of()); // all share the limit, as if nothing had been read
            }
            topicSet.expectsRoom = hasPlaces(held);
            if (ByteBudget.isSpent(held)) {
                isSpent = true;
                passedOver.addAll(partitions(ByteBudget.cut(held)));
            }
            if (held.stream().noneMatch(Checkout::isEmpty)) {
                MessageReader.complete(borrowed.connection(), dialect, held);
            }
            held.stream().filter(Checkout::isEmpty).forEach(empty -> emptyLocked.add(empty.partition));
            setAside(held);
            boolean hasEmpty = held.removeIf(Checkout::isEmpty);
            if (held.isEmpty() || !hasEmpty) {
                if (isSpent) {
                    topicSet.rotation.noteNoTurn(passedOver); // of all attempts, because each makes new turns
                    topicSet.rotation.noteTurn(partitions(held));
                }
                topicSet.budget.note(held);
                return held;
            }
            // An empty partition stays locked until the transaction ends. Messages that are committed there now would
            // wait for publishers that have nothing to do with them. So it begins again, without these partitions.
            borrowed.rollback();
            List<Partition> again = partitions(held);
            held = attempt < ATTEMPTS
                    ? takeAndRead(again)
                    : fill(again, again.size(), true, null); // which are fewer each time
        }
    }

    private static boolean isEmpty(HeldPartition held) {
        return held.messages.isEmpty();
    }

    private static List<Partition> partitions(List<HeldPartition> held) {
        return held.stream().map(partition -> partition.partition).toList();
    }

    /** Whether the batch has room and may hold more partitions. */
    private boolean hasPlaces(List<HeldPartition> held) {
        return Filling.room(held, most) > 0 && held.size() < TopicSet.MOST_PARTITIONS;
    }

    /** @param again the partitions to begin with, because they had messages a moment ago */
    private List<HeldPartition> takeAndRead(List<Partition> again) throws SQLException {
        if (topicSet.rotation.isDiscoveryDue(System.nanoTime())) {
            return fillWithFound(again);
        }
        DiscoveryQuery sent = discovery.sentAlong();
        List<Partition> inTurn = inTurn(again, List.of());
        List<HeldPartition> held = fill(inTurn, first(again, inTurn), false, sent);
        if (hasPlaces(held) && !addTo(held, sent)) {
            borrowed.rollback();
            held = fillWithFound(again);
        }
        return held;
    }

    private List<HeldPartition> fillWithFound(List<Partition> again) throws SQLException {
        List<Partition> inTurn = inTurn(again, discovery.beforeBatch());
        return fill(inTurn, first(again, inTurn), true, null);
    }

    private int first(List<Partition> again, List<Partition> inTurn) {
        return again.isEmpty() ? topicSet.rotation.firstTake(inTurn.size(), most) : again.size();
    }

    /** Looks for more within the transaction of a batch that has messages. False if the batch must begin again. */
    private boolean addTo(List<HeldPartition> held, @Nullable DiscoveryQuery sent) throws SQLException {
        if (held.stream().allMatch(Checkout::isEmpty)) {
            return false;
        }
        List<Partition> found = discovery.withinBatch(sent);
        if (found == null) {
            return false;
        }
        Set<Integer> known =
                held.stream().map(partition -> partition.partition.id()).collect(Collectors.toSet());
        List<Partition> inTurn = inTurn(List.of(), found);
        inTurn.removeIf(partition -> known.contains(partition.id()));
        new Filling(reader("", null), held, inTurn, most).run(inTurn.size(), true);
        return true;
    }

    /**
     * All partitions that are known, and those that were just found, even if another thread has forgotten them
     * meanwhile. Only the partitions to begin with have had their turn.
     */
    private List<Partition> inTurn(List<Partition> again, List<Partition> found) {
        Set<Partition> inTurn = new LinkedHashSet<>(again);
        inTurn.addAll(topicSet.rotation.nextTurn(again.isEmpty() ? most : 0));
        inTurn.addAll(found);
        inTurn.removeAll(emptyLocked);
        return new ArrayList<>(inTurn);
    }

    private List<HeldPartition> fill(List<Partition> inTurn, int first, boolean areNew, @Nullable DiscoveryQuery query)
            throws SQLException {
        List<HeldPartition> held = new ArrayList<>();
        if (!inTurn.isEmpty()) {
            new Filling(reader(borrowed.hold(), query), held, inTurn, most).run(first, areNew);
        }
        return held;
    }

    private MessageReader reader(String beginSql, @Nullable DiscoveryQuery query) {
        return new MessageReader(topicSet, borrowed, discovery, beginSql, query, most);
    }

    /**
     * Lets partitions wait whose first message cannot be read. No later message may overtake it, and it must not keep
     * the store from serving other partitions. The batch holds them, so no other client writes their rows meanwhile.
     */
    private void setAside(List<HeldPartition> held) throws SQLException {
        boolean any = false;
        for (HeldPartition partition : held) {
            if (partition.problem != null && isEmpty(partition)) {
                borrowed.change();
                setAside(partition);
                any = true;
            }
        }
        if (any) {
            borrowed.commit();
        }
    }

    private void setAside(HeldPartition held) throws SQLException {
        String reason = dialect.sql("Row " + held.problemRowId + " of outbox_message cannot be read: " + held.problem
                + ". Something else has written to the tables of the outbox: correct the row, or delete it,"
                + " and call retryNow. Until then its partition waits.");
        if (held.failingId != held.problemRowId) { // once, and not at every checkout
            LOG.error("[OUTBOX-215] Partition {} of {}: {}", held.partition.number(), held.partition.topic(), reason);
        }
        String sql = dialect.sql("""
                UPDATE outbox_partition SET failing_id = ?, reason = ?, failed_at = %s, retry_at = %s WHERE id = ?\
                """.formatted(dialect.now(), dialect.nowPlusMillis()));
        try (PreparedStatement statement = borrowed.connection().prepareStatement(sql)) {
            statement.setLong(1, held.problemRowId);
            statement.setString(2, BatchOutcomes.storable(reason));
            statement.setLong(3, READ_AGAIN_AFTER.toMillis());
            statement.setInt(4, held.partition.id());
            statement.executeUpdate();
        }
    }
}
