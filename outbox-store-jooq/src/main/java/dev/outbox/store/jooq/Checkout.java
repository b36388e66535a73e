package dev.outbox.store.jooq;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One checkout: finds partitions, takes some, reads their messages. The transaction it leaves open is the batch, which
 * holds the partitions for as long as the connection lives.
 */
final class Checkout {
    /** How often to begin without what was taken in vain; then better to hold too much than to go on for ever. */
    private static final int ATTEMPTS = 4;

    private final Dialect dialect;
    private final int lockKey;
    private final List<String> topics;
    private final String discovery;
    private final Candidates candidates;
    private final Hints hints;
    private final Floor floor;

    /** Whether the last batch had room, so that this one will hardly be full and have to look for partitions. */
    private volatile boolean expectsRoom;

    Checkout(Dialect dialect, int lockKey, List<String> topics, Candidates candidates, Hints hints, Floor floor) {
        this.dialect = dialect;
        this.lockKey = lockKey;
        this.topics = topics;
        this.discovery = dialect.discovery(topics);
        this.candidates = candidates;
        this.hints = hints;
        this.floor = floor;
    }

    /** Another batch is open beside the one that is to be. */
    void noteCompany() {
        candidates.noteCompany();
    }

    /**
     * What the batch holds, which is nothing if no messages were found. Every message that was committed before the call,
     * in a partition that is free and ready, is in it if there is room (OBX-TX-3): what is known from earlier comes first, but
     * before a batch is left with room, the partitions are looked for anew. Behind a hint nothing is missed that way.
     */
    List<Held> run(Connections.Lease lease, int limit) throws SQLException {
        floor.beforeCheckout(lease.connection());
        Set<Candidate> inVain = new HashSet<>();
        for (int attempt = 1; ; attempt++) {
            List<Held> held = takeAndRead(lease, limit, inVain);
            expectsRoom = room(held, limit) > 0;
            int before = inVain.size();
            held.stream().filter(partition -> partition.messages.isEmpty()).forEach(p -> inVain.add(p.partition));
            held.removeIf(partition -> partition.messages.isEmpty());
            if (held.isEmpty() || inVain.size() == before || attempt == ATTEMPTS) {
                return held;
            }
            // What was taken in vain stays locked until the transaction ends, and messages that are committed there now
            // would wait for publishers that have nothing to do with them. So again, without it.
            lease.rollback();
        }
    }

    private List<Held> takeAndRead(Connections.Lease lease, int limit, Set<Candidate> inVain) throws SQLException {
        if (candidates.isDiscoveryDue(System.nanoTime())) {
            return fill(lease, discover(lease), limit, inVain, null);
        }
        Look look = lookSentAlong(lease);
        List<Held> held = fill(lease, List.of(), limit, inVain, look);
        if (room(held, limit) > 0 && !addTo(held, lease, limit, look)) {
            lease.rollback();
            held = fill(lease, discover(lease), limit, inVain, null);
        }
        return held;
    }

    /** To be sent with the first take and read, which spares a round trip if the batch has room; null if none is expected. */
    private @Nullable Look lookSentAlong(Connections.Lease lease) {
        return expectsRoom && lease.isOwn() && dialect.takesAndReadsAtOnce(true) ? newLook() : null;
    }

    /**
     * Behind what is known to be settled, for as long as it is slow to look from the start: no message can appear there any
     * more, see {@link Hints}.
     */
    private Look newLook() {
        Map<Candidate, Long> settled = hints.settled(System.nanoTime());
        return new Look(settled.isEmpty() ? discovery : dialect.discoveryBehind(topics, settled), settled);
    }

    /** Looks for more within the transaction of a batch that has messages; false if it has to begin again. */
    private boolean addTo(List<Held> held, Connections.Lease lease, int limit, @Nullable Look sent)
            throws SQLException {
        if (held.stream().allMatch(partition -> partition.messages.isEmpty())) {
            return false;
        }
        Look look = sent != null && sent.isAnswered() ? sent : look(lease, dialect.endOfRead());
        if (!look.missing.isEmpty()) {
            return false; // rows for them are added in a transaction that does not last as long as a batch
        }
        candidates.replace(look.found, look.started, System.nanoTime());
        Set<Integer> known =
                held.stream().map(partition -> partition.partition.id()).collect(Collectors.toSet());
        List<Candidate> inTurn = inTurn(look.found, limit, Set.of());
        inTurn.removeIf(candidate -> known.contains(candidate.id()));
        fill(lease, "", held, inTurn, inTurn.size(), limit, null);
        return true;
    }

    private static int room(List<Held> held, int limit) {
        return limit
                - held.stream().mapToInt(partition -> partition.messages.size()).sum();
    }

    /** In auto-commit mode, so that asking an idle outbox is one round trip. */
    private List<Candidate> discover(Connections.Lease lease) throws SQLException {
        Look look = look(lease, "");
        if (!look.missing.isEmpty()) {
            // Writers leave these rows to us: two of them with new messages of one partition would wait for each other.
            dialect.addPartitions(lease.connection(), look.missing);
            look = look(lease, "");
        }
        candidates.replace(look.found, look.started, System.nanoTime());
        return look.found;
    }

    private Look look(Connections.Lease lease, String end) throws SQLException {
        Look look = newLook();
        // What is always the same is prepared, because planning it takes longer than the rest of an idle poll; but only
        // on connections that were set up for it: elsewhere a plan that was made for an empty table might be kept for a
        // full one.
        boolean prepared = look.passedOver.isEmpty() && lease.isOwn();
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

    private void noteLook(Look look, long took) {
        hints.lookedFor(topics, new HashSet<>(look.found), look.passedOver, took, System.nanoTime());
    }

    /** All that is known, and what was just found, even if another thread has forgotten it meanwhile. */
    private List<Candidate> inTurn(List<Candidate> found, int limit, Set<Candidate> inVain) {
        Set<Candidate> inTurn = new LinkedHashSet<>(candidates.nextTurn(limit));
        inTurn.addAll(found);
        inTurn.removeAll(inVain);
        return new ArrayList<>(inTurn);
    }

    private List<Held> fill(
            Connections.Lease lease, List<Candidate> found, int limit, Set<Candidate> inVain, @Nullable Look look)
            throws SQLException {
        List<Candidate> inTurn = inTurn(found, limit, inVain);
        List<Held> held = new ArrayList<>();
        if (!inTurn.isEmpty()) {
            String begin = lease.hold();
            int wanted = candidates.firstTake(inTurn.size(), limit);
            fill(lease, begin, held, inTurn, wanted, limit, look);
        }
        return held;
    }

    /**
     * Takes some of the partitions and shares the limit out among them. If they have less, it goes on: reads anew, and more,
     * those that had more than their share; reads from the start those where a message that failed may be before a hint;
     * else takes twice as many more.
     */
    private void fill(
            Connections.Lease lease,
            String begin,
            List<Held> held,
            List<Candidate> inTurn,
            int firstTake,
            int limit,
            @Nullable Look look)
            throws SQLException {
        Connection connection = lease.connection();
        String first = begin;
        Look unsent = look;
        int next = 0;
        int wanted = firstTake;
        int room = room(held, limit);
        List<Held> toRead = new ArrayList<>();
        while (room > 0) {
            int tries = Math.min(wanted, room);
            boolean isRead = false;
            while (toRead.isEmpty() && next < inTurn.size() && held.size() < Candidates.MOST_PARTITIONS) {
                tries = Math.min(tries, Candidates.MOST_PARTITIONS - held.size());
                List<Candidate> tried = inTurn.subList(next, Math.min(inTurn.size(), next + tries));
                next += tried.size();
                isRead = isBestReadAtOnce(lease, tried.size());
                toRead = isRead ? takeAndRead(connection, first, tried, room, unsent) : take(connection, first, tried);
                first = "";
                unsent = isRead ? null : unsent;
                held.addAll(toRead);
                if (toRead.size() < tried.size()) {
                    candidates.noteCompany();
                }
                tries = Math.min(2 * tries, room); // others hold those: look further
            }
            if (toRead.isEmpty()) {
                break;
            }
            if (!isRead) {
                read(connection, toRead, room);
            }
            room = room(held, limit);
            toRead = new ArrayList<>();
            for (Held partition : held) {
                if (!partition.fromStart() && partition.failingId != 0) {
                    partition.restartFromStart();
                    toRead.add(partition);
                } else if (partition.full && room > 0) {
                    partition.restart();
                    toRead.add(partition);
                }
            }
            room = room(held, limit);
            wanted *= 2;
        }
    }

    /**
     * Alone, nearly all that is tried is taken. In company a part of it is not: reading that would be in vain, and its share
     * of the limit would be missing to the others. A single partition has nobody to share with.
     */
    private boolean isBestReadAtOnce(Connections.Lease lease, int tried) {
        return dialect.takesAndReadsAtOnce(lease.isOwn())
                && tried <= dialect.mostReadAtOnce()
                && (tried == 1 || candidates.isAlone());
    }

    /** What a batch would hold of the partitions, which it does not yet. */
    private List<Held> wanted(Connection connection, List<Candidate> partitions) throws SQLException {
        long now = System.nanoTime();
        if (hints.areWanted(now)) {
            floor.look(connection);
        }
        long decided = floor.get();
        List<Held> wanted = new ArrayList<>(partitions.size());
        for (Candidate partition : partitions) {
            // A hint that is old by the time the partition is taken is too low, or right: nothing returns below one.
            wanted.add(new Held(partition, hints.start(partition, now), decided, floor.end(decided)));
        }
        return wanted;
    }

    private static void keep(List<Held> wanted, List<Integer> taken) {
        Set<Integer> ids = new HashSet<>(taken);
        wanted.removeIf(held -> !ids.remove(held.partition.id()));
        if (!ids.isEmpty()) {
            throw new IllegalStateException("The database locked partition rows " + ids + ", which were not asked for");
        }
    }

    private List<Held> take(Connection connection, String begin, List<Candidate> tried) throws SQLException {
        List<Held> wanted = wanted(connection, tried);
        keep(wanted, dialect.take(connection, begin, lockKey, wanted));
        return wanted;
    }

    private List<Held> takeAndRead(
            Connection connection, String begin, List<Candidate> tried, int limit, @Nullable Look look)
            throws SQLException {
        List<Held> wanted = wanted(connection, tried);
        share(wanted, limit);
        long started = System.nanoTime();
        keep(wanted, dialect.takeAndRead(connection, begin, lockKey, wanted, look));
        long took = System.nanoTime() - started;
        if (look == null) {
            noteRead(wanted, took);
        } else {
            noteRead(wanted, took - Hints.GRACE);
            noteLook(
                    look,
                    took
                            - Hints.graceOf(wanted.stream()
                                    .mapToInt(held -> held.messages.size())
                                    .sum()));
        }
        return wanted;
    }

    private static void share(List<Held> partitions, int limit) {
        int each = limit / partitions.size();
        int more = limit % partitions.size();
        for (int i = 0; i < partitions.size(); i++) {
            partitions.get(i).startReading(i < more ? each + 1 : each);
        }
    }

    /** Reads every partition, together at most the limit. */
    private void read(Connection connection, List<Held> partitions, int limit) throws SQLException {
        share(partitions, limit);
        long started = System.nanoTime();
        for (int i = 0; i < partitions.size(); i += dialect.mostReadAtOnce()) {
            dialect.read(connection, partitions.subList(i, Math.min(partitions.size(), i + dialect.mostReadAtOnce())));
        }
        noteRead(partitions, System.nanoTime() - started);
    }

    private void noteRead(List<Held> partitions, long took) {
        long ended = System.nanoTime();
        int messages = 0;
        for (Held held : partitions) {
            held.endReading();
            messages += held.messages.size();
            floor.read(held.lastRowId());
        }
        for (Held held : partitions) {
            if (held.fromStart()) {
                hints.readFromStart(held.partition, messages, took, ended);
            }
            if (held.messages.isEmpty() && held.share > 0) {
                candidates.remove(held.partition);
            }
        }
    }
}
