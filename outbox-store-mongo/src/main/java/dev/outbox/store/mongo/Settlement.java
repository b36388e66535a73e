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
import com.mongodb.client.model.UpdateOneModel;
import com.mongodb.client.model.Updates;
import dev.outbox.HoldLostException;
import dev.outbox.StoreException;
import dev.outbox.spi.BatchOutcomes;
import dev.outbox.spi.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.conversions.Bson;
import org.jspecify.annotations.Nullable;

/**
 * Applies the outcomes of a batch and gives its partitions back, in one transaction.
 *
 * <p>Its first statements write the documents of the partitions, on condition that they still show the fence. If one does
 * not, the hold is lost and the transaction is aborted. If somebody changes one while it runs, one of the two is aborted
 * and tried again, and then sees what the other did. So of all who ever held a partition, the last alone can settle
 * messages of it.
 */
final class Settlement {
    /** As without a majority of members: then whether it is committed is open, and nobody waits for it for ever. */
    private static final long MOST_COMMIT_SECONDS = 50;

    /** What it decides, it decides by conditions of its writes, which see the latest state or conflict with it. */
    static final TransactionOptions TRANSACTION = TransactionOptions.builder()
            .readConcern(ReadConcern.LOCAL)
            .readPreference(ReadPreference.primary())
            .writeConcern(WriteConcern.MAJORITY)
            .maxCommitTime(MOST_COMMIT_SECONDS, TimeUnit.SECONDS)
            .build();

    /** Ten times what it takes when nothing is in the way. */
    private static final Duration TIME_PER_DOCUMENT = Duration.ofMillis(2);

    private static final String DOING = "Closing a batch";
    private static final int LONGEST_REASON = 1_000;

    /** Far beyond any sensible delay and well within what dates can take. */
    private static final Duration LONGEST_DELAY = Duration.ofDays(3650);

    private final OutboxCollections collections;
    private final Partitions partitions;
    private final MessageReader reader;
    private final Candidates candidates;
    private final Leases leases;
    private final BulkWrites bulkWrites;

    Settlement(
            OutboxCollections collections,
            BulkWrites bulkWrites,
            Partitions partitions,
            MessageReader reader,
            Candidates candidates,
            Leases leases) {
        this.leases = leases;
        this.bulkWrites = bulkWrites;
        this.collections = collections;
        this.partitions = partitions;
        this.reader = reader;
        this.candidates = candidates;
    }

    /** What is to be written, worked out before the transaction, which may run more than once. */
    private record Plan(
            List<BsonValue> settled,
            List<BsonValue> failed,
            List<BsonDocument> dead,
            List<Held> plain,
            List<Failing> failing,
            List<Held> passed) {}

    /** A partition in which messages failed: the first of them, and the longest delay. */
    private record Failing(Held held, StoredMessage message, String reason, Duration delay) {}

    /**
     * Runs in the session that has claimed the partitions.
     *
     * @param next what is to have the partitions then, if nothing fails in them; or null
     */
    void apply(ClientSession session, List<Held> held, BatchOutcomes outcomes, @Nullable Claim next) {
        boolean[] written = {false};
        try {
            if (outcomes.applicable().isEmpty()) {
                held.stream().collect(Collectors.groupingBy(each -> each.claim)).forEach(this::release);
                return;
            }
            Plan plan = plan(held, outcomes);
            makeTimeFor(plan, held);
            plan.failing.stream()
                    .filter(failing -> !failing.delay.isZero())
                    .forEach(failing -> candidates.remove(failing.held.lane));
            session.withTransaction(
                    () -> {
                        written[0] = false;
                        write(session, plan, next);
                        written[0] = true;
                        return true;
                    },
                    TRANSACTION);
        } catch (HoldLostException e) {
            giveBack(held);
            throw e;
        } catch (MongoException e) {
            // The driver has asked again; what is still open then may be either way. With the other label it is not
            // done. Giving back what may be given back already has to wait for the end of the lease.
            if (written[0] && !e.hasErrorLabel(MongoException.TRANSIENT_TRANSACTION_ERROR_LABEL)) {
                throw new StoreException(
                        "The commit of a batch was not confirmed: either all its outcomes took effect or none. Messages"
                                + " that were published may be handed out again. " + e.getMessage(),
                        e);
            }
            giveBack(held);
            throw Failures.of(DOING + ", of which nothing took effect,", e);
        } catch (RuntimeException e) {
            throw Failures.of(DOING, e);
        }
    }

    /** What is left of the batch's partitions is of use to others at once. */
    private void giveBack(List<Held> held) {
        leases.abandon(held.stream().map(each -> each.claim).distinct().toList());
    }

    /**
     * Leases are not renewed while a batch is closed, and one that ends then makes others abort the transaction: for a large
     * one and a short lease that would happen again and again. So if it may not suffice it is prolonged, by as much.
     */
    private void makeTimeFor(Plan plan, List<Held> held) {
        int documents = plan.settled.size() + plan.failed.size() + plan.dead.size() + held.size();
        Duration needed = TIME_PER_DOCUMENT.multipliedBy(documents);
        held.stream().collect(Collectors.groupingBy(each -> each.claim)).forEach((claim, theirs) -> {
            if (claim.trustLeft().compareTo(needed) < 0) {
                List<Lane> lanes = theirs.stream().map(each -> each.lane).toList();
                require(lanes.size(), partitions.renew(lanes, List.of(claim.fence), leases.atLeast(needed)));
            }
        });
    }

    private void release(Claim claim, List<Held> held) {
        List<Lane> lanes = held.stream().map(each -> each.lane).toList();
        require(lanes.size(), partitions.release(lanes, claim.fence));
    }

    private Plan plan(List<Held> held, BatchOutcomes outcomes) {
        Plan plan = new Plan(
                new ArrayList<>(),
                new ArrayList<>(),
                new ArrayList<>(),
                new ArrayList<>(),
                new ArrayList<>(),
                new ArrayList<>());
        int first = 0;
        for (Held each : held) {
            add(each, outcomes, first, plan);
            first += each.messages.size();
        }
        return plan;
    }

    private static void add(Held held, BatchOutcomes outcomes, int first, Plan plan) {
        StoredMessage firstFailed = null;
        String reason = "";
        Duration delay = Duration.ZERO;
        // A message that failed before and is no longer where it was has been removed by somebody.
        boolean passed = held.failing != null
                && held.messages.get(0).position().compareTo(held.failing.getTimestamp("position")) > 0;
        for (int i = 0; i < held.messages.size(); i++) {
            StoredMessage message = held.messages.get(i);
            Outcome outcome = outcomes.at(first + i);
            if (outcome instanceof Outcome.Failed failed) {
                plan.failed.add(message.id());
                if (firstFailed == null) {
                    firstFailed = message;
                    reason = failed.reason();
                }
                delay = failed.retryAfter().compareTo(delay) > 0 ? failed.retryAfter() : delay;
            } else if (outcome != null) {
                plan.settled.add(message.id());
                if (outcome instanceof Outcome.DeadLettered dead) {
                    plan.dead.add(Documents.dead(message, storable(dead.reason())));
                }
                passed |= held.failing != null
                        && held.failing.getTimestamp("position").equals(message.position());
            }
        }
        if (firstFailed != null) {
            plan.failing.add(new Failing(held, firstFailed, storable(reason), delay));
        } else {
            (passed ? plan.passed : plan.plain).add(held);
        }
    }

    private void write(ClientSession session, Plan plan, @Nullable Claim next) {
        Bson release = next == null ? Partitions.RELEASE_STAGE : partitions.claim(session, next.fence);
        List<Bson> plain = new ArrayList<>();
        plan.plain.stream().collect(Collectors.groupingBy(each -> each.claim)).forEach((claim, held) -> {
            List<Lane> lanes = held.stream().map(each -> each.lane).toList();
            plain.add(and(in("_id", Partitions.ids(lanes)), eq("fence", claim.fence)));
        });
        boolean together = !plain.isEmpty() && !plan.settled.isEmpty() && bulkWrites.areAvailable();
        if (together) {
            BulkWrites.Written written = bulkWrites.run(session, plain, release, in("_id", plan.settled));
            require(plan.plain.size(), written.matched());
            requireUntouched(plan.settled.size(), written.deleted());
        } else {
            long matched = 0;
            for (Bson each : plain) {
                matched += collections
                        .partitions()
                        .updateMany(session, each, List.of(release))
                        .getMatchedCount();
            }
            require(plan.plain.size(), matched);
        }
        if (!plan.failing.isEmpty()) {
            List<UpdateOneModel<BsonDocument>> updates = plan.failing.stream()
                    .map(failing -> new UpdateOneModel<BsonDocument>(
                            ours(failing.held), List.of(failed(failing), Partitions.RELEASE_STAGE)))
                    .toList();
            require(
                    updates.size(),
                    collections.partitions().bulkWrite(session, updates).getMatchedCount());
        }
        if (!plan.settled.isEmpty() && !together) {
            requireUntouched(
                    plan.settled.size(),
                    collections
                            .messages()
                            .deleteMany(session, in("_id", plan.settled))
                            .getDeletedCount());
        }
        if (!plan.failed.isEmpty()) {
            requireUntouched(
                    plan.failed.size(),
                    collections
                            .messages()
                            .updateMany(session, in("_id", plan.failed), Updates.inc("attempts", 1))
                            .getMatchedCount());
        }
        if (!plan.dead.isEmpty()) {
            List<BsonValue> ids = plan.dead.stream().map(d -> d.get("_id")).toList();
            // What died by the same id before, and would refuse this close and every one after it, gives way.
            collections.deadLetters().deleteMany(session, in("_id", ids));
            collections.deadLetters().insertMany(session, plan.dead);
            // The timestamp of the insert says in which order they died; a date is what a TTL index needs.
            collections.deadLetters().updateMany(session, in("_id", ids), List.of(Updates.set("diedAt", "$$NOW")));
        }
        for (Held held : plan.passed) {
            goOn(session, held);
        }
    }

    private static Bson failed(Failing failing) {
        return Updates.combine(
                Updates.set("retryAt", Partitions.inMillis(millis(failing.delay))),
                Updates.set("failing", new BsonDocument("$literal", state(failing.message, failing.reason))));
    }

    /**
     * The message that failed is settled. If the new head of the partition had failed together with it, it is the one that
     * fails now; else none does.
     */
    private void goOn(ClientSession session, Held held) {
        StoredMessage head = null;
        for (StoredMessage message : reader.head(session, held.lane)) {
            head = message.problem() == null && message.message().attempts() > 0 ? message : null;
        }
        String reason =
                held.failing == null ? "" : held.failing.getString("reason").getValue();
        Bson next = head == null ? Updates.unset("failing") : Updates.set("failing", state(head, reason));
        require(
                1,
                collections
                        .partitions()
                        .updateOne(session, ours(held), Updates.combine(Partitions.RELEASE, next))
                        .getMatchedCount());
    }

    private static BsonDocument state(StoredMessage message, String reason) {
        return new BsonDocument("id", new BsonString(message.message().id()))
                .append("position", message.position())
                .append("reason", new BsonString(reason));
    }

    private static Bson ours(Held held) {
        return and(eq("_id", held.lane.id()), eq("fence", held.claim.fence));
    }

    private static void require(long expected, long actual) {
        if (actual != expected) {
            throw new HoldLostException(DOING + " failed: of its " + expected + " partitions it still held " + actual
                    + ", because its lease was over and others have taken them, or somebody has changed their"
                    + " documents. Nothing of the batch took effect; its messages will be handed out again.");
        }
    }

    private static void requireUntouched(long expected, long actual) {
        if (actual != expected) {
            throw new HoldLostException(DOING + " failed: " + actual + " instead of " + expected
                    + " messages were there, so something else has changed the collections of the outbox. Nothing of"
                    + " the batch took effect; what is left of its messages will be handed out again.");
        }
    }

    private static long millis(Duration delay) {
        Duration bounded = delay.compareTo(LONGEST_DELAY) > 0 ? LONGEST_DELAY : delay;
        return bounded.plusNanos(999_999).toMillis();
    }

    /** A reason is for reading: rather than let the close fail, it is shortened, and what cannot be kept is replaced. */
    static String storable(String reason) {
        StringBuilder text = new StringBuilder();
        reason.codePoints()
                .limit(LONGEST_REASON)
                .map(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c)
                .forEach(text::appendCodePoint);
        return text.toString();
    }
}
