package dev.outbox.store.mongo;

import com.mongodb.ClientSessionOptions;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import dev.outbox.StoreException;
import dev.outbox.internal.Log;
import dev.outbox.store.support.PartitionRotation;
import dev.outbox.store.support.SetAside;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.bson.BsonDocument;
import org.bson.BsonTimestamp;
import org.jspecify.annotations.Nullable;

/**
 * One checkout: finds partitions, takes some, reads their messages.
 *
 * <p>Why what it reads is right: the server tells at which of its times a claim took effect, and messages are read as
 * they were at that very time. The last holder of the partition had settled before the claim, so nothing that was
 * settled is seen. Every transaction whose commit had returned before the checkout is of an earlier time, so it is seen
 * (OBX-TX-3). A message that was written after another's commit has a later position and became visible later, so
 * a reader that sees it sees the other too, and before it (OBX-ORDER-4); a read that is not of one moment can miss the
 * earlier and see the later one. The server answers a read of a given time only when a majority has that time, so
 * nothing is published that a failover could take back. And as every claim reads from the oldest message on, what
 * commits late is found by the next one.
 */
final class Checkout implements AutoCloseable {
    private static final Log LOG = Log.of(Checkout.class).sparing();

    /** Further than this, a single statement and a single transaction would become too large. */
    static final int MOST_PARTITIONS = 500;

    /**
     * In company a checkout begins with the square root of all partitions, which leaves work to others and still takes
     * few batches for many partitions. It is rounded down: where a batch takes as long as it does here, two relays had
     * better share two partitions.
     */
    static final PartitionRotation.Pace PACE =
            new PartitionRotation.Pace(Duration.ofMillis(50), 30, MOST_PARTITIONS, all -> (int) Math.sqrt(all));

    /** How long a partition is not tried that begins with a message which cannot be read. */
    static final Duration ASIDE = Duration.ofSeconds(5);

    /**
     * What was taken for this checkout when the batch before it was closed.
     *
     * @param session that has claimed it, and whose operation time is that of the claim
     */
    record Ahead(Hold hold, ClientSession session) {}

    /** After this many passes without a message, what is known of partitions is taken to be out of date. */
    private static final int VAIN_TRIES = 2;

    /** Of what was taken ahead no more than that is relied on: with a failure in it, it would not have been. */
    private static final BsonDocument NOTHING_KNOWN = new BsonDocument();

    private final PartitionRotation<Partition> rotation;
    private final SetAside<Partition> aside;
    private final Discovery discovery;
    private final PartitionDocuments partitionDocuments;
    private final MessageReader reader;
    private final LeaseRenewer leaseRenewer;
    private final ExpiredHolds expiredHolds;
    private final MongoClient client;
    private final int limit;
    private final List<HeldPartition> held = new ArrayList<>();
    private final Set<Hold> holds = new LinkedHashSet<>();
    private final Set<String> problems = new LinkedHashSet<>();
    private final List<ClientSession> snapshots = new ArrayList<>();
    private final ByteBudget budget = new ByteBudget();
    private @Nullable ClientSession session;
    private boolean handedOver;

    Checkout(
            MongoClient client,
            PartitionRotation<Partition> rotation,
            SetAside<Partition> aside,
            Discovery discovery,
            PartitionDocuments partitionDocuments,
            MessageReader reader,
            LeaseRenewer leaseRenewer,
            ExpiredHolds expiredHolds,
            int limit) {
        this.client = client;
        this.rotation = rotation;
        this.aside = aside;
        this.discovery = discovery;
        this.partitionDocuments = partitionDocuments;
        this.reader = reader;
        this.leaseRenewer = leaseRenewer;
        this.expiredHolds = expiredHolds;
        this.limit = limit;
    }

    /**
     * What the batch holds, which is nothing if no messages were found. What is known from earlier comes first, but
     * before a batch is left with room, there is a new discovery.
     *
     * @param ahead what was taken for this already, or null
     */
    List<HeldPartition> run(@Nullable Ahead ahead) {
        if (ahead == null || !isFilledBy(ahead)) {
            find();
        }
        if (budget.isSpent()) {
            // What was taken for this batch and not read comes before what was.
            rotation.noteTurn(held.stream().map(each -> each.partition).toList());
        }
        if (!holds.stream().allMatch(Hold::isTrusted)) {
            throw new StoreException("A checkout took so long that its lease may be over. Ask for fewer messages at"
                    + " a time, or set a longer lease.");
        }
        if (!problems.isEmpty()) {
            String all = String.join(" ", problems);
            if (held.isEmpty()) {
                throw new StoreException(all);
            }
            LOG.error("[OUTBOX-310] {}", all); // and the others go on
        }
        return held;
    }

    /**
     * Reads what was taken ahead, as of now: nobody else has had it since its claim, so a later time is as good, and
     * what was committed since then may belong before what fills the batch. If that does not fill it there may be more
     * in other partitions, and everything is done as usual; also if the server, a new primary perhaps, has chosen a
     * time before the claim.
     */
    private boolean isFilledBy(Ahead ahead) {
        session = ahead.session();
        holds.add(ahead.hold());
        leaseRenewer.add(ahead.hold());
        BsonTimestamp claimed = timeOf(session);
        ClientSession snapshot = newSnapshot();
        for (Partition partition : ahead.hold().partitions()) {
            held.add(new HeldPartition(partition, ahead.hold(), NOTHING_KNOWN, snapshot));
        }
        read(held, limit);
        fill(List.of(), true); // of those that have more than their share
        BsonTimestamp seen = snapshot.getSnapshotTimestamp();
        if (room() == 0 && seen != null && seen.compareTo(claimed) >= 0) {
            List<HeldPartition> taken = List.copyOf(held);
            held.clear();
            keepWhatHasMessages(taken);
            return true;
        }
        held.clear();
        budget.renew();
        holds.remove(ahead.hold());
        leaseRenewer.abandon(List.of(ahead.hold()));
        return false;
    }

    private void find() {
        boolean discovered = rotation.beginDiscoveryIfDue();
        fill(inTurn(discovered ? discover() : List.of()), discovered);
        if (!discovered && room() > 0) {
            fill(inTurn(discover()), true);
        }
    }

    private int room() {
        return budget.isSpent()
                ? 0
                : limit - held.stream().mapToInt(each -> each.messages.size()).sum();
    }

    private List<Partition> discover() {
        long started = System.nanoTime();
        List<Discovery.Found> found = discovery.run();
        List<Partition> free = partitions(Discovery.State.FREE, found);
        List<Partition> missing = partitions(Discovery.State.MISSING, found);
        if (!missing.isEmpty()) {
            partitionDocuments.add(missing);
            free.addAll(missing);
        }
        List<Discovery.Found> expired = Discovery.in(Discovery.State.EXPIRED, found);
        if (!expired.isEmpty()) {
            free.addAll(expiredHolds.free(expired));
        }
        free.removeIf(aside::contains);
        Set<Partition> taken = new HashSet<>(partitions(Discovery.State.HELD, found));
        List<Partition> known = new ArrayList<>(free);
        for (HeldPartition each : held) {
            known.add(each.partition);
            taken.remove(each.partition);
        }
        if (!taken.isEmpty()) {
            rotation.noteCompany();
        }
        rotation.replace(known, started, System.nanoTime());
        return free;
    }

    private static List<Partition> partitions(Discovery.State state, List<Discovery.Found> found) {
        return Discovery.in(state, found).stream()
                .map(Discovery.Found::partition)
                .collect(Collectors.toCollection(ArrayList::new));
    }

    /** All that is known, and what was just found, even if another thread has forgotten it meanwhile. */
    private List<Partition> inTurn(List<Partition> found) {
        Set<Partition> inTurn = new LinkedHashSet<>(rotation.nextTurn(limit));
        inTurn.addAll(found);
        held.forEach(each -> inTurn.remove(each.partition));
        return new ArrayList<>(inTurn);
    }

    /**
     * Takes some of the partitions and shares the limit out among them. If they have less, it goes on: reads more of
     * those that may have more, and takes twice as many others.
     *
     * <p>How many passes there are grows with the logarithm of partitions and limit. Where all that were read had less
     * than their share, or all had as much, there is nothing left to read, or no room. In between, those that had less
     * than their share leave no more room than their part of it: if they were less than half, the room is halved; if
     * more, the others are less than half. And the number of partitions that are tried is doubled with each pass.
     *
     * @param looked whether partitions were just looked for; else what is known may be out of date, and after some that
     *     were tried and had nothing, a discovery costs less than trying
     */
    private void fill(List<Partition> inTurn, boolean looked) {
        int next = 0;
        int tries = rotation.firstTake(inTurn.size(), limit);
        int inVain = 0;
        for (int room = room(); room > 0 && (looked || inVain < VAIN_TRIES); room = room()) {
            long left = left(inTurn.size() - next, room);
            // Where others were faster, they will have been so with the next ones too: the room is no bound then.
            int most = Math.min(inVain > 0 ? tries : Math.min(tries, room), MOST_PARTITIONS - held.size());
            List<Partition> tried = inTurn.subList(next, Math.min(inTurn.size(), next + most));
            next += tried.size();
            List<HeldPartition> taken = take(tried);
            List<HeldPartition> toRead = new ArrayList<>(taken.subList(0, Math.min(taken.size(), room)));
            toRead.addAll(more(room - toRead.size()));
            if (tried.isEmpty() && toRead.isEmpty()) {
                return;
            }
            read(toRead, room);
            keepWhatHasMessages(taken);
            inVain = room() == room ? inVain + 1 : 0;
            tries = Math.min(2 * tries, MOST_PARTITIONS);
            if (left(inTurn.size() - next, room()) >= left) {
                throw new IllegalStateException("A checkout of " + limit + " makes no progress with " + room
                        + " to go, " + held.size() + " partitions and " + (inTurn.size() - next) + " to try");
            }
        }
    }

    /** What every pass has to make less: a partition that was tried may have more, if it had something. */
    private long left(int toTry, int room) {
        return 2L * toTry
                + room
                + held.stream().filter(each -> each.mayHaveMore).count();
    }

    /**
     * Those held that may have more, as far as each can be given a place. If not all of them can, only those that do
     * have more: otherwise each pass might ask one of them for nothing.
     */
    private List<HeldPartition> more(int places) {
        List<HeldPartition> more =
                held.stream().filter(each -> each.mayHaveMore).toList();
        if (places <= 0 || more.size() <= places) {
            return places <= 0 ? List.of() : more;
        }
        Set<Partition> waiting = reader.withMore(more);
        for (HeldPartition each : more) {
            each.mayHaveMore = waiting.contains(each.partition);
            if (!each.mayHaveMore) {
                rotation.remove(each.partition);
            }
        }
        return more.stream().filter(each -> each.mayHaveMore).limit(places).toList();
    }

    private List<HeldPartition> take(List<Partition> partitions) {
        if (partitions.isEmpty()) {
            return List.of();
        }
        rotation.noteTurn(partitions);
        List<HeldPartition> taken = tryToTake(partitions);
        if (taken.size() < partitions.size()) {
            rotation.noteCompany();
        }
        return taken;
    }

    private List<HeldPartition> tryToTake(List<Partition> partitions) {
        if (session == null) {
            session = client.startSession(
                    ClientSessionOptions.builder().causallyConsistent(true).build());
        }
        Hold hold = new Hold(partitions, leaseRenewer.trust());
        holds.add(hold);
        if (partitions.size() == 1) {
            Partition partition = partitions.get(0);
            BsonDocument document = partitionDocuments.take(session, partition, hold.fence);
            if (document == null) {
                holds.remove(hold);
                return List.of();
            }
            leaseRenewer.add(hold);
            return List.of(new HeldPartition(partition, hold, document, snapshotOf(session)));
        }
        if (partitionDocuments.take(session, partitions, hold.fence) == 0) {
            holds.remove(hold);
            return List.of();
        }
        ClientSession snapshot = snapshotOf(session);
        List<HeldPartition> taken = new ArrayList<>();
        Map<String, BsonDocument> documents = partitionDocuments.heldBy(snapshot, partitions, hold.fence).stream()
                .collect(Collectors.toMap(each -> each.getString("_id").getValue(), each -> each));
        for (Partition partition : partitions) { // in their turn
            BsonDocument document = documents.get(partition.id());
            if (document != null) {
                taken.add(new HeldPartition(partition, hold, document, snapshot));
            }
        }
        hold.keepOnly(taken.stream().map(each -> each.partition).toList());
        leaseRenewer.add(hold);
        return taken;
    }

    /** Reads with it are of the moment at which a claim took effect. */
    private ClientSession snapshotOf(ClientSession claimed) {
        BsonTimestamp time = timeOf(claimed);
        ClientSession snapshot = newSnapshot();
        snapshot.setSnapshotTimestamp(time);
        return snapshot;
    }

    /** When what the session has done last took effect, by the server. */
    static BsonTimestamp timeOf(ClientSession claimed) {
        BsonTimestamp time = claimed.getOperationTime();
        if (time == null) {
            throw new IllegalStateException(
                    "The server does not say at which of its times it did this. It is so for some"
                            + " moments after it has started; otherwise it is none that can hold an outbox.");
        }
        return time;
    }

    private ClientSession newSnapshot() {
        ClientSession snapshot = client.startSession(
                ClientSessionOptions.builder().snapshot(true).build());
        snapshots.add(snapshot);
        return snapshot;
    }

    /** Shares the room, which is enough for one message of each, out among the partitions and reads them. */
    private void read(List<HeldPartition> toRead, int room) {
        if (toRead.isEmpty()) {
            return;
        }
        int each = room / toRead.size();
        int more = room % toRead.size();
        for (int i = 0; i < toRead.size(); i++) {
            toRead.get(i).startReading(i < more ? each + 1 : each);
        }
        reader.read(toRead, budget);
        for (HeldPartition partition : toRead) {
            partition.endReading();
            partition.mayHaveMore |= budget.isSpent(); // then it may not have been read to its end, or not at all
            if (partition.problem != null) {
                problems.add(partition.problem);
                partition.mayHaveMore = false;
                aside.add(partition.partition);
                partitionDocuments.note(
                        partition.partition, partition.hold.fence, partition.problemOf, partition.problem);
            } else if (partition.hadProblem) {
                partitionDocuments.clearProblem(partition.partition, partition.hold.fence);
            }
            if (!partition.mayHaveMore) {
                rotation.remove(partition.partition); // a discovery costs less than taking it for nothing
            }
        }
    }

    /** A batch keeps nobody from partitions it has no message of (OBX-EXCL-3). */
    private void keepWhatHasMessages(Collection<HeldPartition> taken) {
        held.addAll(taken);
        List<HeldPartition> inVain =
                taken.stream().filter(each -> each.messages.isEmpty()).toList();
        held.removeAll(inVain);
        inVain.stream().collect(Collectors.groupingBy(each -> each.hold)).forEach((hold, empty) -> {
            List<Partition> partitions =
                    empty.stream().map(each -> each.partition).toList();
            hold.drop(partitions);
            partitionDocuments.release(partitions, hold.fence);
            if (hold.partitions().isEmpty()) {
                holds.remove(hold);
                leaseRenewer.remove(hold);
            }
        });
    }

    Set<Hold> holds() {
        return holds;
    }

    /** The session that has claimed what the batch holds; null if it holds nothing. */
    @Nullable
    ClientSession session() {
        return held.isEmpty() ? null : session;
    }

    /** The batch is there, and has the claims and their session now. */
    void handOver() {
        handedOver = true;
    }

    /** Whatever has happened, memory that ran out included: what no batch has is renewed by nobody. */
    @Override
    public void close() {
        snapshots.forEach(ClientSession::close);
        if (!handedOver) {
            held.clear(); // what was read may be what there was no room for
            if (session != null) {
                session.close();
            }
            leaseRenewer.abandon(holds);
        }
    }
}
