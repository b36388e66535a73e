package dev.outbox.store.jooq.internal.checkout;

import dev.outbox.spi.BatchOutcomes;
import dev.outbox.store.jooq.internal.connection.BorrowedConnection;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.RowReader;
import dev.outbox.store.jooq.internal.partition.ByteBudget;
import dev.outbox.store.jooq.internal.partition.DiscoveryQuery;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.Partition;
import dev.outbox.store.support.PartitionRotation;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One checkout: finds partitions, takes some, reads their messages. The transaction it leaves open is the batch, which
 * holds the partitions for as long as the connection lives.
 */
public final class Checkout {
    /** How often to begin without what was taken in vain and to look for others; then no others, or it would go on for ever. */
    private static final int ATTEMPTS = 4;

    /** Of one batch. Every partition is a lock, and a server has a table of them that all its clients share. */
    public static final int MOST_PARTITIONS = 500;

    /**
     * A discovery is a query that reads one entry of an index for each partition. Dead rows can make it slow. If a
     * checkout begins with the square root of the partitions, other relays get work too, and few batches still serve
     * many partitions.
     */
    public static final PartitionRotation.Pace PACE = new PartitionRotation.Pace(
            Duration.ofMillis(100), 20, MOST_PARTITIONS, all -> (int) Math.ceil(Math.sqrt(all)));

    /** After what time a row that cannot be read is looked at again. */
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(10);

    /** The most ids in one statement. */
    private static final int LONGEST_LIST = 500;

    /** How often an idle store asks whether its database is writable, if looking for messages does not tell. */
    public static volatile Duration writableEvery = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(Checkout.class);

    private final Dialect dialect;
    private final int lockKey;
    private final List<String> topics;
    private final String discovery;
    private final PartitionRotation<Partition> rotation;
    private final ReadPositions hints;
    private final LowWatermark floor;
    private final ByteBudget budget = new ByteBudget();

    /** When the database was last known to be writable. */
    private volatile long writableAt = System.nanoTime();

    /** Whether the last batch had room, so that this one will hardly be full and have to look for partitions. */
    private volatile boolean expectsRoom;

    public Checkout(
            Dialect dialect,
            int lockKey,
            List<String> topics,
            PartitionRotation<Partition> rotation,
            ReadPositions hints,
            LowWatermark floor) {
        this.dialect = dialect;
        this.lockKey = lockKey;
        this.topics = topics;
        this.discovery = dialect.discovery(topics);
        this.rotation = rotation;
        this.hints = hints;
        this.floor = floor;
    }

    /** Another batch is open beside the one that is to be. */
    public void noteCompany() {
        rotation.noteCompany();
    }

    /**
     * What the batch holds, which is nothing if no messages were found. Every message that was committed before the call,
     * in a partition that is free and ready, is in it if there is room (OBX-TX-3): what is known from earlier comes first, but
     * before a batch is left with room, the partitions are looked for anew. Behind a hint nothing is missed that way.
     */
    public List<HeldPartition> run(BorrowedConnection lease, int limit) throws SQLException {
        floor.beforeCheckout(lease.connection());
        Set<Partition> inVain = new HashSet<>();
        int most = Math.min(limit, budget.expected());
        List<HeldPartition> held = takeAndRead(lease, most, List.of(), inVain);
        boolean isSpent = false;
        Set<Partition> passedOver = new LinkedHashSet<>();
        for (int attempt = 1; ; attempt++) {
            if (most < limit && messages(held) == most && ByteBudget.bytes(held) < ByteBudget.LEAST) {
                most = limit; // the messages are smaller than those of the last batch
                lease.rollback();
                rotation.noteNoTurn(partitions(held));
                held = takeAndRead(lease, most, List.of(), inVain); // all share the limit, as if nothing had been read
            }
            expectsRoom = hasPlaces(held, most);
            if (ByteBudget.isSpent(held)) {
                isSpent = true;
                passedOver.addAll(partitions(ByteBudget.cut(held)));
            }
            if (held.stream().noneMatch(partition -> partition.messages.isEmpty())) {
                complete(lease.connection(), held);
            }
            held.stream().filter(partition -> partition.messages.isEmpty()).forEach(p -> inVain.add(p.partition));
            setAside(lease, held);
            boolean isVain = held.removeIf(partition -> partition.messages.isEmpty());
            if (held.isEmpty() || !isVain) {
                if (isSpent) {
                    rotation.noteNoTurn(passedOver); // of all attempts, because each makes new turns
                    rotation.noteTurn(partitions(held));
                }
                budget.note(held);
                return held;
            }
            // What was taken in vain stays locked until the transaction ends, and messages that are committed there now
            // would wait for publishers that have nothing to do with them. So again, without it.
            lease.rollback();
            List<Partition> again = partitions(held);
            held = attempt < ATTEMPTS
                    ? takeAndRead(lease, most, again, inVain)
                    : fill(lease, again, again.size(), true, most, null); // which are fewer each time
        }
    }

    private static int messages(List<HeldPartition> held) {
        return held.stream().mapToInt(partition -> partition.messages.size()).sum();
    }

    private static List<Partition> partitions(List<HeldPartition> held) {
        return held.stream().map(partition -> partition.partition).toList();
    }

    /**
     * Reads the payloads that the first read left out, by the ids of the rows that it found. Another transaction may
     * have committed a lower id since then. That message is not in this batch. The next batch begins with it.
     */
    private void complete(Connection connection, List<HeldPartition> held) throws SQLException {
        List<Long> leftOut = new ArrayList<>();
        held.forEach(partition -> leftOut.addAll(partition.leftOut()));
        Map<Long, byte[]> payloads = new HashMap<>();
        Map<Long, String> unreadable = new HashMap<>();
        for (int i = 0; i < leftOut.size(); i += LONGEST_LIST) {
            String ids = leftOut.subList(i, Math.min(leftOut.size(), i + LONGEST_LIST)).stream()
                    .map(String::valueOf)
                    .collect(Collectors.joining(", "));
            try (Statement statement = connection.createStatement()) {
                statement.execute(dialect.sql("SELECT m.id, m.payload FROM outbox_message m" + dialect.byIds()
                        + " WHERE m.id IN (" + ids + ")" + dialect.endOfRead()));
                try (ResultSet rows = statement.getResultSet()) {
                    RowReader.leftOut(rows, payloads, unreadable);
                }
            }
        }
        held.forEach(partition -> partition.complete(payloads, unreadable));
    }

    /**
     * Lets partitions wait whose first message cannot be read: nothing behind it may overtake it, and it must not keep the other
     * partitions from being served. Nobody else can do so meanwhile, because we hold them.
     */
    private void setAside(BorrowedConnection lease, List<HeldPartition> held) throws SQLException {
        boolean any = false;
        for (HeldPartition partition : held) {
            if (partition.problem != null && partition.messages.isEmpty()) {
                lease.change();
                setAside(lease.connection(), partition);
                any = true;
            }
        }
        if (any) {
            lease.commit();
        }
    }

    private void setAside(Connection connection, HeldPartition partition) throws SQLException {
        String reason = dialect.sql("Row " + partition.problemRowId + " of outbox_message cannot be read: "
                + partition.problem
                + ". Something else has written to the tables of the outbox: correct the row, or delete it,"
                + " and call retryNow. Until then its partition waits.");
        if (partition.failingId != partition.problemRowId) { // not at every look
            LOG.error("Partition {} of {}: {}", partition.partition.partition(), partition.partition.topic(), reason);
        }
        try (PreparedStatement statement = connection.prepareStatement(
                dialect.sql("UPDATE outbox_partition SET failing_id = ?, reason = ?, failed_at = " + dialect.now()
                        + ", retry_at = " + dialect.nowPlusMillis() + " WHERE id = ?"))) {
            statement.setLong(1, partition.problemRowId);
            statement.setString(2, BatchOutcomes.storable(reason));
            statement.setLong(3, LOOK_AGAIN.toMillis());
            statement.setInt(4, partition.partition.id());
            statement.executeUpdate();
        }
    }

    /** Whether the batch has room and may hold more partitions. */
    private static boolean hasPlaces(List<HeldPartition> held, int limit) {
        return Filling.room(held, limit) > 0 && held.size() < MOST_PARTITIONS;
    }

    /** @param again what to begin with, because it had messages just now */
    private List<HeldPartition> takeAndRead(
            BorrowedConnection lease, int limit, List<Partition> again, Set<Partition> inVain) throws SQLException {
        if (rotation.isDiscoveryDue(System.nanoTime())) {
            return fill(lease, discover(lease), limit, again, inVain);
        }
        DiscoveryQuery look = lookSentAlong(lease);
        List<Partition> inTurn = inTurn(again, List.of(), limit, inVain);
        List<HeldPartition> held = fill(lease, inTurn, first(again, inTurn, limit), false, limit, look);
        if (hasPlaces(held, limit) && !addTo(held, lease, limit, look, inVain)) {
            lease.rollback();
            held = fill(lease, discover(lease), limit, again, inVain);
        }
        return held;
    }

    private List<HeldPartition> fill(
            BorrowedConnection lease, List<Partition> found, int limit, List<Partition> again, Set<Partition> inVain)
            throws SQLException {
        List<Partition> inTurn = inTurn(again, found, limit, inVain);
        return fill(lease, inTurn, first(again, inTurn, limit), true, limit, null);
    }

    private int first(List<Partition> again, List<Partition> inTurn, int limit) {
        return again.isEmpty() ? rotation.firstTake(inTurn.size(), limit) : again.size();
    }

    /** To be sent with the first take and read, which spares a round trip if the batch has room; null if none is expected. */
    private @Nullable DiscoveryQuery lookSentAlong(BorrowedConnection lease) {
        return expectsRoom && lease.isDedicated() && dialect.takesAndReadsAtOnce(true) ? newLook() : null;
    }

    /**
     * Behind what is known to be settled, for as long as it is slow to look from the start: no message can appear there any
     * more, see {@link ReadPositions}.
     */
    private DiscoveryQuery newLook() {
        Map<Partition, Long> settled = hints.settled(System.nanoTime());
        return new DiscoveryQuery(settled.isEmpty() ? discovery : dialect.discoveryBehind(topics, settled), settled);
    }

    /** Looks for more within the transaction of a batch that has messages; false if it has to begin again. */
    private boolean addTo(
            List<HeldPartition> held,
            BorrowedConnection lease,
            int limit,
            @Nullable DiscoveryQuery sent,
            Set<Partition> inVain)
            throws SQLException {
        if (held.stream().allMatch(partition -> partition.messages.isEmpty())) {
            return false;
        }
        DiscoveryQuery look = sent != null && sent.isAnswered() ? sent : look(lease, dialect.endOfRead());
        if (!look.missing.isEmpty()) {
            return false; // rows for them are added in a transaction that does not last as long as a batch
        }
        rotation.replace(look.found, look.started, System.nanoTime());
        Set<Integer> known =
                held.stream().map(partition -> partition.partition.id()).collect(Collectors.toSet());
        List<Partition> inTurn = inTurn(List.of(), look.found, limit, inVain);
        inTurn.removeIf(candidate -> known.contains(candidate.id()));
        new Filling(new Access(lease, "", null, limit), held, inTurn, limit).run(inTurn.size(), true);
        return true;
    }

    /** In auto-commit mode, so that asking an idle outbox is one round trip. */
    private List<Partition> discover(BorrowedConnection lease) throws SQLException {
        DiscoveryQuery look = look(lease, "");
        if (!look.missing.isEmpty()) {
            // Writers leave these rows to us: two of them with new messages of one partition would wait for each other.
            dialect.addPartitions(lease.connection(), look.missing);
            look = look(lease, "");
        }
        rotation.replace(look.found, look.started, System.nanoTime());
        if (look.found.isEmpty()) {
            requireWritable(lease);
        }
        return look.found;
    }

    /**
     * A relay without messages never begins a transaction. It would not learn that its server is read-only, and that
     * may be the reason why there are no messages.
     */
    private void requireWritable(BorrowedConnection lease) throws SQLException {
        if (dialect.requireWritable().isEmpty() && System.nanoTime() - writableAt > writableEvery.toNanos()) {
            lease.begin();
            lease.rollback();
            writableAt = System.nanoTime();
        }
    }

    private DiscoveryQuery look(BorrowedConnection lease, String end) throws SQLException {
        DiscoveryQuery look = newLook();
        // What is always the same is prepared, because planning it takes longer than the rest of an idle poll; but only
        // on connections that were set up for it: elsewhere a plan that was made for an empty table might be kept for a
        // full one.
        boolean prepared = look.passedOver.isEmpty() && lease.isDedicated();
        String sql = look.sql + end;
        try (Statement statement = prepared
                ? lease.connection().prepareStatement(sql)
                : lease.connection().createStatement()) {
            if (prepared) {
                ((PreparedStatement) statement).execute();
            } else {
                statement.execute(sql);
            }
            try (ResultSet rows = statement.getResultSet()) {
                look.answer(rows);
            }
        }
        noteLook(look, System.nanoTime() - look.started);
        return look;
    }

    private void noteLook(DiscoveryQuery look, long took) {
        hints.lookedFor(topics, new HashSet<>(look.found), look.passedOver, took, System.nanoTime());
    }

    /**
     * All that is known, and what was just found, even if another thread has forgotten it meanwhile. Behind what it begins
     * with, nothing has had its turn.
     */
    private List<Partition> inTurn(List<Partition> again, List<Partition> found, int limit, Set<Partition> inVain) {
        Set<Partition> inTurn = new LinkedHashSet<>(again);
        inTurn.addAll(rotation.nextTurn(again.isEmpty() ? limit : 0));
        inTurn.addAll(found);
        inTurn.removeAll(inVain);
        return new ArrayList<>(inTurn);
    }

    private List<HeldPartition> fill(
            BorrowedConnection lease,
            List<Partition> inTurn,
            int first,
            boolean areNew,
            int limit,
            @Nullable DiscoveryQuery look)
            throws SQLException {
        List<HeldPartition> held = new ArrayList<>();
        if (!inTurn.isEmpty()) {
            new Filling(new Access(lease, lease.hold(), look, limit), held, inTurn, limit).run(first, areNew);
        }
        return held;
    }

    /** What a filling does in the transaction of a batch. */
    private final class Access implements Filling.Access {
        private final BorrowedConnection lease;
        private final Connection connection;

        /** To be sent with the first statement. */
        private String begin;

        /** To be sent with the first take and read. */
        private @Nullable DiscoveryQuery unsent;

        /** The largest payload in bytes that a read brings with its row. */
        private final long whole;

        Access(BorrowedConnection lease, String begin, @Nullable DiscoveryQuery look, int limit) {
            this.lease = lease;
            this.whole = ByteBudget.whole(limit);
            this.connection = lease.connection();
            this.begin = begin;
            this.unsent = look;
        }

        /**
         * Alone, nearly all that is tried is taken. In company a part of it is not: reading that would be in vain, and its share
         * of the limit would be missing to the others. A single partition has nobody to share with.
         */
        @Override
        public boolean isBestReadAtOnce(int tried) {
            return dialect.takesAndReadsAtOnce(lease.isDedicated())
                    && tried <= dialect.mostReadAtOnce()
                    && (tried == 1 || rotation.isAlone());
        }

        @Override
        public List<HeldPartition> take(List<Partition> tried, int most) throws SQLException {
            List<HeldPartition> wanted = wanted(connection, tried);
            keep(wanted, dialect.take(connection, begin, lockKey, wanted, most));
            begin = "";
            return wanted;
        }

        @Override
        public List<HeldPartition> takeAndRead(List<Partition> tried, int limit) throws SQLException {
            List<HeldPartition> wanted = wanted(connection, tried);
            share(wanted, limit, whole);
            DiscoveryQuery look = unsent;
            long started = System.nanoTime();
            keep(wanted, dialect.takeAndRead(connection, begin, lockKey, wanted, look));
            long took = System.nanoTime() - started;
            begin = "";
            unsent = null;
            if (look == null) {
                noteRead(wanted, took);
            } else {
                noteRead(wanted, took - ReadPositions.GRACE);
                noteLook(
                        look,
                        took
                                - ReadPositions.graceOf(wanted.stream()
                                        .mapToInt(held -> held.messages.size())
                                        .sum()));
            }
            readFromStart(wanted);
            return wanted;
        }

        @Override
        public void read(List<HeldPartition> partitions, int limit) throws SQLException {
            share(partitions, limit, whole);
            readShares(partitions);
            readFromStart(partitions);
        }

        /** Once more those where a message that failed may be before a hint, which somebody else may know better. */
        private void readFromStart(List<HeldPartition> partitions) throws SQLException {
            List<HeldPartition> before = partitions.stream()
                    .filter(held -> !held.fromStart() && held.failingId != 0)
                    .toList();
            if (!before.isEmpty()) {
                before.forEach(HeldPartition::restartFromStart);
                readShares(before);
            }
        }

        private void readShares(List<HeldPartition> partitions) throws SQLException {
            long started = System.nanoTime();
            int most = dialect.mostReadAtOnce();
            for (int i = 0; i < partitions.size(); i += most) {
                dialect.read(connection, partitions.subList(i, Math.min(partitions.size(), i + most)));
            }
            noteRead(partitions, System.nanoTime() - started);
        }

        @Override
        public void noteCompany() {
            rotation.noteCompany();
        }
    }

    /** What a batch would hold of the partitions, which it does not yet. */
    private List<HeldPartition> wanted(Connection connection, List<Partition> partitions) throws SQLException {
        long now = System.nanoTime();
        if (hints.areWanted(now)) {
            floor.look(connection);
        }
        long decided = floor.get();
        List<HeldPartition> wanted = new ArrayList<>(partitions.size());
        for (Partition partition : partitions) {
            // A hint that is old by the time the partition is taken is too low, or right: nothing returns below one.
            wanted.add(new HeldPartition(partition, hints.start(partition, now), decided, floor.end(decided)));
        }
        return wanted;
    }

    private static void keep(List<HeldPartition> wanted, List<Integer> taken) {
        Set<Integer> ids = new HashSet<>(taken);
        wanted.removeIf(held -> !ids.remove(held.partition.id()));
        if (!ids.isEmpty()) {
            throw new IllegalStateException("The database locked partition rows " + ids + ", which were not asked for");
        }
    }

    /** Every partition gets a share of the limit, which is not less than their number. */
    private static void share(List<HeldPartition> partitions, int limit, long whole) {
        if (partitions.isEmpty()) {
            return;
        }
        int each = limit / partitions.size();
        int more = limit % partitions.size();
        for (int i = 0; i < partitions.size(); i++) {
            partitions.get(i).whole = whole;
            partitions.get(i).startReading(i < more ? each + 1 : each, partitions.size() == 1);
        }
    }

    private void noteRead(List<HeldPartition> partitions, long took) {
        long ended = System.nanoTime();
        int messages = 0;
        for (HeldPartition held : partitions) {
            messages += held.messages.size();
            floor.read(held.lastRowId());
        }
        for (HeldPartition held : partitions) {
            if (held.fromStart()) {
                hints.readFromStart(held.partition, messages, took, ended);
            }
            if (held.messages.isEmpty()) {
                rotation.remove(held.partition);
            }
        }
    }
}
