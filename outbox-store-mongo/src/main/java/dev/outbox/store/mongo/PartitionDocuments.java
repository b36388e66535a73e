package dev.outbox.store.mongo;

import static com.mongodb.client.model.Filters.and;
import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Filters.exists;
import static com.mongodb.client.model.Filters.expr;
import static com.mongodb.client.model.Filters.in;

import com.mongodb.MongoBulkWriteException;
import com.mongodb.WriteConcern;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.Aggregates;
import com.mongodb.client.model.FindOneAndUpdateOptions;
import com.mongodb.client.model.InsertManyOptions;
import com.mongodb.client.model.ReturnDocument;
import com.mongodb.client.model.Updates;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bson.BsonArray;
import org.bson.BsonDateTime;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.conversions.Bson;
import org.bson.types.ObjectId;
import org.jspecify.annotations.Nullable;

/**
 * The documents of partitions: who has them, and until when nobody gets them.
 *
 * <pre>{@code
 * { _id: "orders/3", topic, partition, retryAt: Date,
 *   fence?: ObjectId, leaseUntil?: Date, owner?, session?,
 *   failing?: { id, position, reason }, problem?: { message, text, since } }
 * }</pre>
 *
 * <p>A partition without a fence is free, and is taken by an update on that condition: of two who try, one finds it
 * taken. One whose lease is over, by the server's clock alone, can be freed by anybody, see {@link ExpiredHolds}.
 *
 * <p>No plain update of ours waits for a transaction of others, except those of {@link ExpiredHolds}, which have a
 * limit for it. Only batches that are being closed write these documents in transactions that last, and until these are
 * committed everybody else sees a fence that is not his.
 */
final class PartitionDocuments {
    static final String PROBLEM = "problem";
    private static final int DUPLICATE_KEY = 11000;
    private static final BsonDateTime LONG_AGO = new BsonDateTime(0);
    private static final BsonString NOW = new BsonString("$$NOW");
    private static final Bson FREE = and(exists("fence", false), expr(isOver("$retryAt")));
    private static final String[] HOLD = {"fence", "leaseUntil", "owner", "session"};

    /** What ends a hold, its outcomes apart. */
    static final Bson RELEASE =
            Updates.combine(Arrays.stream(HOLD).map(Updates::unset).toList());

    /** The same as a stage of a pipeline. */
    static final Bson RELEASE_STAGE = Aggregates.unset(HOLD);

    private final MongoCollection<BsonDocument> collection;
    private final String owner;
    private final Duration lease;

    /**
     * @param owner who we are, for operators to read
     */
    PartitionDocuments(MongoCollection<BsonDocument> collection, String owner, Duration lease) {
        // A claim or a renewal that is not confirmed for as long as a lease is of no use.
        this.collection = collection.withWriteConcern(
                WriteConcern.MAJORITY.withWTimeout(lease.toMillis(), TimeUnit.MILLISECONDS));
        this.owner = owner;
        this.lease = lease;
    }

    /** Whether this is no time in the future; what is no time at all, as by hand, keeps nobody. */
    static BsonDocument isOver(String field) {
        BsonString value = new BsonString(field);
        BsonDocument isTime = new BsonDocument(
                "$eq", new BsonArray(List.of(new BsonDocument("$type", value), new BsonString("date"))));
        BsonDocument isAhead = new BsonDocument("$gt", new BsonArray(List.of(value, NOW)));
        return new BsonDocument(
                "$not", new BsonArray(List.of(new BsonDocument("$and", new BsonArray(List.of(isTime, isAhead))))));
    }

    static BsonDocument inMillis(long millis) {
        return new BsonDocument("$add", new BsonArray(List.of(NOW, new BsonInt64(millis))));
    }

    /**
     * Adds documents of partitions that were found to have messages. Relays do this, and writers do not: two of them
     * with the first messages of one partition would abort each other's transactions.
     */
    void add(Collection<Partition> partitions) {
        List<BsonDocument> documents = partitions.stream()
                .map(partition -> new BsonDocument("_id", new BsonString(partition.id()))
                        .append("topic", new BsonString(partition.topic()))
                        .append("partition", new BsonInt32(partition.partition()))
                        .append("retryAt", LONG_AGO))
                .toList();
        try {
            collection.insertMany(documents, new InsertManyOptions().ordered(false));
        } catch (MongoBulkWriteException e) {
            boolean othersWereFaster = e.getWriteConcernError() == null
                    && e.getWriteErrors().stream().allMatch(error -> error.getCode() == DUPLICATE_KEY);
            if (!othersWereFaster) {
                throw e;
            }
        }
    }

    /** Takes one partition if it is free; returns its document as it is then, or null. */
    @Nullable
    BsonDocument take(ClientSession session, Partition partition, ObjectId fence) {
        return collection.findOneAndUpdate(
                session,
                and(eq("_id", partition.id()), FREE),
                List.of(claim(session, fence)),
                new FindOneAndUpdateOptions().returnDocument(ReturnDocument.AFTER));
    }

    /** Takes those that are free; returns how many that were. */
    long take(ClientSession session, Collection<Partition> partitions, ObjectId fence) {
        return collection
                .updateMany(session, and(in("_id", ids(partitions)), FREE), List.of(claim(session, fence)))
                .getMatchedCount();
    }

    /** A stage of a pipeline that makes partitions this claim's, for the time of a lease from when it is run. */
    Bson claim(ClientSession session, ObjectId fence) {
        return Updates.combine(
                Updates.set("fence", fence),
                // With the session that claims the batch is closed too: who takes over can see to its end.
                Updates.set(
                        "session", session.getServerSession().getIdentifier().get("id")),
                Updates.set("owner", new BsonDocument("$literal", new BsonString(owner))),
                Updates.set("leaseUntil", inMillis(lease.toMillis())));
    }

    /** Which of the partitions a claim has, as of a snapshot. */
    List<BsonDocument> heldBy(ClientSession snapshot, Collection<Partition> partitions, ObjectId fence) {
        return collection
                .find(snapshot, and(in("_id", ids(partitions)), eq("fence", fence)))
                .batchSize(partitions.size() + 1)
                .maxTime(lease.toMillis(), TimeUnit.MILLISECONDS)
                .into(new ArrayList<>());
    }

    /** Prolongs leases, of several claims by one statement; returns how many partitions these claims still have. */
    long renew(Collection<Partition> partitions, Collection<ObjectId> fences, Duration lease) {
        // One that was on its way for long shortens nothing.
        BsonDocument later = new BsonDocument(
                "$max", new BsonArray(List.of(new BsonString("$leaseUntil"), inMillis(lease.toMillis()))));
        return collection
                .updateMany(
                        and(in("_id", ids(partitions)), in("fence", fences)), List.of(Updates.set("leaseUntil", later)))
                .getMatchedCount();
    }

    /** Gives partitions back without any outcome; returns how many of them the claim had. */
    long release(Collection<Partition> partitions, ObjectId fence) {
        // If a failover undoes it, the end of the lease does the same a little later.
        return collection
                .withWriteConcern(WriteConcern.W1)
                .updateMany(and(in("_id", ids(partitions)), eq("fence", fence)), RELEASE)
                .getMatchedCount();
    }

    /** The same of one, in a transaction. */
    void releaseIn(ClientSession transaction, Partition partition, ObjectId fence) {
        collection.updateOne(transaction, and(eq("_id", partition.id()), eq("fence", fence)), RELEASE);
    }

    /** Says in a partition's document what is wrong with a message, for {@link MongoOperations#failingPartitions}. */
    void note(Partition partition, ObjectId fence, BsonValue message, String problem) {
        BsonDocument noted = new BsonDocument("message", message).append("text", new BsonString(problem));
        collection
                .withWriteConcern(WriteConcern.W1)
                .updateOne(
                        and(eq("_id", partition.id()), eq("fence", fence)),
                        List.of(
                                Updates.set(PROBLEM, new BsonDocument("$literal", noted)),
                                Updates.set(PROBLEM + ".since", "$$NOW")));
    }

    /** It can be read again. */
    void clearProblem(Partition partition, ObjectId fence) {
        collection
                .withWriteConcern(WriteConcern.W1)
                .updateOne(and(eq("_id", partition.id()), eq("fence", fence)), Updates.unset(PROBLEM));
    }

    static List<String> ids(Collection<Partition> partitions) {
        return partitions.stream().map(Partition::id).toList();
    }
}
