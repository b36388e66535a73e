package dev.outbox.store.mongo;

import static com.mongodb.client.model.Filters.and;
import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Filters.in;

import com.mongodb.MongoException;
import com.mongodb.ReadConcern;
import com.mongodb.ReadPreference;
import com.mongodb.TransactionOptions;
import com.mongodb.WriteConcern;
import com.mongodb.client.ClientSession;
import com.mongodb.client.model.Projections;
import com.mongodb.client.model.UpdateOneModel;
import com.mongodb.client.model.Updates;
import dev.outbox.HoldLostException;
import dev.outbox.StoreException;
import dev.outbox.internal.Log;
import dev.outbox.spi.BatchOutcomes;
import dev.outbox.spi.Outcome;
import dev.outbox.store.support.LeaseClock;
import dev.outbox.store.support.PartitionOutcome;
import dev.outbox.store.support.PartitionRotation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.conversions.Bson;
import org.jspecify.annotations.Nullable;

/**
 * Applies the outcomes of a batch and gives its partitions back, in one transaction.
 *
 * <p>Its first statements write the documents of all its partitions, on condition that they still show the fence; only
 * then is anything else written. If one does not show it, the hold is lost and the transaction is aborted. If another
 * client changes one while it runs, one of the two is aborted and tried again, and then sees what the other did. So of
 * all who ever held a partition, the last alone can settle messages of it. And a client that comes upon a transaction
 * of a dead process meets it at the document of the partition, where {@link ExpiredHolds} can end it, and not after
 * that, at a message.
 */
final class BatchCloser {
    /** Bounds the wait for a commit, which has no end while there is no majority of members. */
    private static final long MOST_COMMIT_SECONDS = 50;

    /**
     * For how long a close is tried again, if its lease allows: longer than an election takes, and no longer than a
     * shutdown may.
     */
    private static final Duration PATIENCE = Duration.ofSeconds(15);

    /** What it decides, it decides by conditions of its writes, which see the latest state or conflict with it. */
    static final TransactionOptions TRANSACTION = TransactionOptions.builder()
            .readConcern(ReadConcern.LOCAL)
            .readPreference(ReadPreference.primary())
            .writeConcern(WriteConcern.MAJORITY)
            .maxCommitTime(MOST_COMMIT_SECONDS, TimeUnit.SECONDS)
            .build();

    /** Ten times what it takes when nothing is in the way. */
    private static final Duration TIME_PER_DOCUMENT = Duration.ofMillis(2);

    private static final Duration TIME_PER_WRITTEN_MEGABYTE = Duration.ofMillis(100);

    private static final Log LOG = Log.of(BatchCloser.class);
    private static final String DOING = "Closing a batch";
    private final OutboxCollections collections;
    private final PartitionDocuments partitionDocuments;
    private final MessageReader reader;
    private final PartitionRotation<Partition> rotation;
    private final LeaseRenewer leaseRenewer;
    private final BulkWrites bulkWrites;
    private final Primary primary;

    BatchCloser(
            OutboxCollections collections,
            Primary primary,
            BulkWrites bulkWrites,
            PartitionDocuments partitionDocuments,
            MessageReader reader,
            PartitionRotation<Partition> rotation,
            LeaseRenewer leaseRenewer) {
        this.primary = primary;
        this.leaseRenewer = leaseRenewer;
        this.bulkWrites = bulkWrites;
        this.collections = collections;
        this.partitionDocuments = partitionDocuments;
        this.reader = reader;
        this.rotation = rotation;
    }

    /** What is to be written, worked out before the transaction, which may run more than once. */
    private record Plan(
            List<BsonValue> settled,
            List<BsonValue> failed,
            List<BsonDocument> dead,
            List<BsonDocument> moved,
            List<HeldPartition> plain,
            List<Failing> failing,
            List<HeldPartition> passed,
            AtomicLong writtenBytes) {}

    /** A partition in which messages failed, and the first of them. */
    private record Failing(HeldPartition held, StoredMessage message, PartitionOutcome outcome) {}

    /**
     * Runs in the session that has claimed the partitions.
     *
     * @param next what is to have the partitions then, if nothing fails in them; or null
     */
    void apply(ClientSession session, List<HeldPartition> held, BatchOutcomes outcomes, @Nullable Hold next) {
        ClosingTransaction transaction = new ClosingTransaction(session, primary);
        try {
            if (outcomes.applicable().isEmpty()) {
                held.stream().collect(Collectors.groupingBy(each -> each.hold)).forEach(this::release);
                return;
            }
            Plan plan = plan(held, outcomes);
            makeTimeFor(plan, held);
            plan.failing.stream()
                    .filter(failing -> !failing.outcome.delay().isZero())
                    .forEach(failing -> rotation.remove(failing.held.partition));
            transaction.run(() -> write(session, plan, next), patience(held));
        } catch (MongoException e) {
            // The driver has asked again; what is still open then may be either way. With the other label it is not
            // done. Giving back what may be given back already has to wait for the end of the lease.
            if (transaction.isUnknown(e)) {
                throw new StoreException(
                        "The commit of a batch was not confirmed: either all its outcomes took effect or none. Messages"
                                + " that were published may be handed out again. " + e.getMessage(),
                        e);
            }
            giveBack(held);
            throw StoreErrors.of(DOING + ", of which nothing took effect,", e);
        } catch (RuntimeException | Error e) {
            if (!transaction.isCommitting()) {
                giveBack(held);
            }
            if (e instanceof RuntimeException exception) {
                throw StoreErrors.of(DOING, exception);
            }
            throw e;
        }
    }

    /** Beyond what is left of the leases others may have the partitions, and there is nothing to be gained. */
    private static Duration patience(List<HeldPartition> held) {
        return held.stream()
                .map(each -> each.hold.trustLeft())
                .reduce(PATIENCE, (one, other) -> one.compareTo(other) < 0 ? one : other);
    }

    /** Releases what is left of the batch's partitions, so that others can have them immediately. */
    private void giveBack(List<HeldPartition> held) {
        leaseRenewer.abandon(held.stream().map(each -> each.hold).distinct().toList());
    }

    /**
     * Leases are not renewed while a batch is closed, and one that ends then makes others abort the transaction: for a
     * large one and a short lease that would happen again and again. So if it may not suffice it is prolonged, by as
     * much.
     */
    private void makeTimeFor(Plan plan, List<HeldPartition> held) {
        int documents = plan.settled.size() + plan.failed.size() + plan.dead.size() + plan.moved.size() + held.size();
        Duration needed = TIME_PER_DOCUMENT
                .multipliedBy(documents)
                .plus(TIME_PER_WRITTEN_MEGABYTE.multipliedBy(plan.writtenBytes.get() >> 20))
                .plus(leaseRenewer.trust().dividedBy(2));
        held.stream().collect(Collectors.groupingBy(each -> each.hold)).forEach((hold, theirs) -> {
            if (hold.trustLeft().compareTo(needed) < 0) {
                List<Partition> partitions =
                        theirs.stream().map(each -> each.partition).toList();
                LeaseClock sent = LeaseClock.now();
                require(
                        partitions.size(),
                        partitionDocuments.renew(partitions, List.of(hold.fence), leaseRenewer.atLeast(needed)));
                hold.renewed(sent);
            }
        });
    }

    private void release(Hold hold, List<HeldPartition> held) {
        List<Partition> partitions = held.stream().map(each -> each.partition).toList();
        require(partitions.size(), partitionDocuments.release(partitions, hold.fence));
    }

    private Plan plan(List<HeldPartition> held, BatchOutcomes outcomes) {
        Plan plan = new Plan(
                new ArrayList<>(),
                new ArrayList<>(),
                new ArrayList<>(),
                new ArrayList<>(),
                new ArrayList<>(),
                new ArrayList<>(),
                new ArrayList<>(),
                new AtomicLong());
        int first = 0;
        for (HeldPartition each : held) {
            add(each, outcomes, first, plan);
            first += each.messages.size();
        }
        return plan;
    }

    private static void add(HeldPartition held, BatchOutcomes outcomes, int first, Plan plan) {
        // A message that failed before and is no longer where it was has been removed by an operator.
        boolean passed = held.failing != null && held.messages.get(0).position().compareTo(held.failing.position()) > 0;
        for (int i = 0; i < held.messages.size(); i++) {
            StoredMessage message = held.messages.get(i);
            Outcome outcome = outcomes.at(first + i);
            if (outcome instanceof Outcome.Failed) {
                plan.failed.add(message.id());
            } else if (PartitionOutcome.isSettled(outcome)) {
                plan.settled.add(message.id());
                if (outcome instanceof Outcome.DeadLettered dead) {
                    plan.dead.add(MessageDocuments.dead(message, dead.reason()));
                    plan.writtenBytes.addAndGet(message.bytes());
                } else if (outcome instanceof Outcome.Moved to) {
                    plan.moved.add(MessageDocuments.moved(message, to.topic(), to.partition()));
                    plan.writtenBytes.addAndGet(message.bytes());
                }
                passed |= held.failing != null && held.failing.position().equals(message.position());
            }
        }
        PartitionOutcome outcome = PartitionOutcome.of(outcomes, first, held.messages.size());
        if (outcome.isFailing()) {
            plan.failing.add(new Failing(held, held.messages.get(outcome.firstFailed()), outcome));
        } else {
            (passed ? plan.passed : plan.plain).add(held);
        }
    }

    /** The documents of partitions first, see above. */
    private void write(ClientSession session, Plan plan, @Nullable Hold next) {
        if (!plan.failing.isEmpty()) {
            List<UpdateOneModel<BsonDocument>> updates = plan.failing.stream()
                    .map(failing -> new UpdateOneModel<BsonDocument>(
                            ours(failing.held), List.of(failed(failing), PartitionDocuments.RELEASE_STAGE)))
                    .toList();
            require(
                    updates.size(),
                    collections.partitions().bulkWrite(session, updates).getMatchedCount());
        }
        List<BsonDocument> moved = stillThere(session, plan.moved);
        settle(
                session,
                plan,
                next == null ? PartitionDocuments.RELEASE_STAGE : partitionDocuments.claim(session, next.fence));
        if (!plan.failed.isEmpty()) {
            collections.messages().updateMany(session, in("_id", plan.failed), Updates.inc("attempts", 1));
        }
        if (!plan.dead.isEmpty()) {
            Bson these = in("_id", plan.dead.stream().map(d -> d.get("_id")).toList());
            // One of the same id can only have been restored by hand; with it in the way, the batch could never be
            // closed.
            long older = collections.deadLetters().deleteMany(session, these).getDeletedCount();
            if (older > 0) {
                LOG.warn(
                        "[OUTBOX-306] {} older dead letters had the ids of messages that have died now, and gave way"
                                + " to them. Those messages had been restored by hand.",
                        older);
            }
            collections.deadLetters().insertMany(session, plan.dead);
            // The timestamp of the insert says in which order they died; a date is what a TTL index needs.
            collections.deadLetters().updateMany(session, these, List.of(Updates.set("diedAt", "$$NOW")));
        }
        if (!moved.isEmpty()) {
            // By the same ids: those of before are deleted in this transaction already.
            collections.messages().insertMany(session, moved);
        }
        for (HeldPartition held : plan.passed) {
            goOn(session, held);
        }
    }

    /**
     * What was deleted by hand since the checkout must not come back in another topic. If a message is deleted by hand
     * after this look, the two deletions conflict, and the transaction runs again.
     */
    private List<BsonDocument> stillThere(ClientSession session, List<BsonDocument> moved) {
        if (moved.isEmpty()) {
            return moved;
        }
        Set<BsonValue> there = new HashSet<>();
        collections
                .messages()
                .find(session, in("_id", moved.stream().map(d -> d.get("_id")).toList()))
                .projection(Projections.include("_id"))
                .map(document -> document.get("_id"))
                .into(there);
        return moved.stream().filter(d -> there.contains(d.get("_id"))).toList();
    }

    /**
     * Releases partitions, and deletes what is settled. A message that is no longer there was deleted by another
     * client: while the partitions are ours that was no relay, and it is as gone as it was to be. If the others came
     * again for it they would be published twice.
     */
    private void settle(ClientSession session, Plan plan, Bson release) {
        List<HeldPartition> held = new ArrayList<>(plan.plain);
        held.addAll(plan.passed);
        List<Bson> theirs = new ArrayList<>();
        held.stream().collect(Collectors.groupingBy(each -> each.hold)).forEach((hold, these) -> {
            List<Partition> partitions =
                    these.stream().map(each -> each.partition).toList();
            theirs.add(and(in("_id", PartitionDocuments.ids(partitions)), eq("fence", hold.fence)));
        });
        if (!theirs.isEmpty() && !plan.settled.isEmpty() && bulkWrites.areAvailable()) {
            BulkWrites.Written written = bulkWrites.run(session, theirs, release, in("_id", plan.settled));
            require(held.size(), written.matched());
            warnIfTouched(plan.settled.size(), written.deleted());
            return;
        }
        long matched = 0;
        for (Bson each : theirs) {
            matched += collections
                    .partitions()
                    .updateMany(session, each, List.of(release))
                    .getMatchedCount();
        }
        require(held.size(), matched);
        if (!plan.settled.isEmpty()) {
            warnIfTouched(
                    plan.settled.size(),
                    collections
                            .messages()
                            .deleteMany(session, in("_id", plan.settled))
                            .getDeletedCount());
        }
    }

    private static Bson failed(Failing failing) {
        return Updates.combine(
                Updates.set("retryAt", PartitionDocuments.inMillis(failing.outcome.delayMillis())),
                Updates.set("failing", new BsonDocument("$literal", state(failing.message, failing.outcome.reason()))));
    }

    /**
     * The message that failed is settled. If the new head of the partition had failed together with it, it is the one
     * that fails now; else none does.
     */
    private void goOn(ClientSession session, HeldPartition held) {
        StoredMessage head = null;
        for (StoredMessage message : reader.head(session, held.partition)) {
            head = message.problem() == null && message.message().attempts() > 0 ? message : null;
        }
        Bson next = head == null
                ? Updates.unset("failing")
                : Updates.set("failing", state(head, held.failing == null ? "" : held.failing.reason()));
        // Its document is this transaction's already.
        collections.partitions().updateOne(session, eq("_id", held.partition.id()), next);
    }

    private static BsonDocument state(StoredMessage message, String reason) {
        return new BsonDocument("id", new BsonString(message.message().id()))
                .append("position", message.position())
                .append("reason", new BsonString(reason));
    }

    private static Bson ours(HeldPartition held) {
        return and(eq("_id", held.partition.id()), eq("fence", held.hold.fence));
    }

    private static void require(long expected, long actual) {
        if (actual != expected) {
            throw new HoldLostException(DOING + " failed: of its " + expected + " partitions it still held " + actual
                    + ", because its lease was over and others have taken them, or somebody has changed their"
                    + " documents. Nothing of the batch took effect; its messages will be handed out again.");
        }
    }

    private static void warnIfTouched(long expected, long actual) {
        if (actual != expected) {
            LOG.warn(
                    "[OUTBOX-307] Of {} messages that were settled only {} were there: somebody has deleted the others"
                            + " by hand.",
                    expected,
                    actual);
        }
    }
}
