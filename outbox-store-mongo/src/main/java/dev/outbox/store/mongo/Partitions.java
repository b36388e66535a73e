package dev.outbox.store.mongo;

import static com.mongodb.client.model.Filters.and;
import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Filters.expr;
import static com.mongodb.client.model.Filters.in;

import com.mongodb.MongoBulkWriteException;
import com.mongodb.WriteConcern;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.FindOneAndUpdateOptions;
import com.mongodb.client.model.InsertManyOptions;
import com.mongodb.client.model.ReturnDocument;
import com.mongodb.client.model.Updates;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import org.bson.BsonArray;
import org.bson.BsonDateTime;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.conversions.Bson;
import org.bson.types.ObjectId;
import org.jspecify.annotations.Nullable;

/**
 * The documents of partitions: who has them, and until when nobody gets them.
 *
 * <pre>{@code
 * { _id: "orders/3", topic, partition, leaseUntil: Date, retryAt: Date,
 *   fence?: ObjectId, owner?, failing?: { id, position, reason } }
 * }</pre>
 *
 * <p>The server's clock alone decides when a lease or a delay is over. A partition is free if both are; to take it is one
 * update that asks for that, so of two who try, one finds it taken. No transaction is needed: the server tries an update
 * that meets another again by itself.
 */
final class Partitions {
    private static final int DUPLICATE_KEY = 11000;
    static final BsonDateTime LONG_AGO = new BsonDateTime(0);
    private static final BsonString NOW = new BsonString("$$NOW");
    private static final Bson FREE =
            expr(new BsonDocument("$and", new BsonArray(List.of(isOver("$leaseUntil"), isOver("$retryAt")))));

    /** What ends a hold, its outcomes apart. */
    static final Bson RELEASE =
            Updates.combine(Updates.set("leaseUntil", LONG_AGO), Updates.unset("fence"), Updates.unset("owner"));

    private final MongoCollection<BsonDocument> collection;
    private final String owner;
    private final Duration lease;

    /**
     * @param owner who we are, for operators to read
     */
    Partitions(MongoCollection<BsonDocument> collection, String owner, Duration lease) {
        this.collection = collection;
        this.owner = owner;
        this.lease = lease;
    }

    static BsonDocument isOver(String field) {
        return new BsonDocument("$lte", new BsonArray(List.of(new BsonString(field), NOW)));
    }

    static BsonDocument inMillis(long millis) {
        return new BsonDocument("$add", new BsonArray(List.of(NOW, new BsonInt64(millis))));
    }

    /**
     * Adds documents of partitions that were found to have messages. Relays do this, and writers do not: two of them with
     * the first messages of one partition would abort each other's transactions.
     */
    void add(Collection<Lane> lanes) {
        List<BsonDocument> documents = lanes.stream()
                .map(lane -> new BsonDocument("_id", new BsonString(lane.id()))
                        .append("topic", new BsonString(lane.topic()))
                        .append("partition", new BsonInt32(lane.partition()))
                        .append("leaseUntil", LONG_AGO)
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
    BsonDocument take(ClientSession session, Lane lane, ObjectId fence) {
        return collection.findOneAndUpdate(
                session,
                and(eq("_id", lane.id()), FREE),
                List.of(claim(fence)),
                new FindOneAndUpdateOptions().returnDocument(ReturnDocument.AFTER));
    }

    /** Takes those that are free; returns how many that were. */
    long take(ClientSession session, Collection<Lane> lanes, ObjectId fence) {
        return collection
                .updateMany(session, and(in("_id", ids(lanes)), FREE), List.of(claim(fence)))
                .getMatchedCount();
    }

    private Bson claim(ObjectId fence) {
        return Updates.combine(
                Updates.set("fence", fence),
                Updates.set("owner", new BsonDocument("$literal", new BsonString(owner))),
                leaseFromNow());
    }

    private Bson leaseFromNow() {
        return Updates.set("leaseUntil", inMillis(lease.toMillis()));
    }

    /** Which of the partitions a claim has, as of a snapshot. */
    Iterable<BsonDocument> heldBy(ClientSession snapshot, Collection<Lane> lanes, ObjectId fence) {
        return collection.find(snapshot, and(in("_id", ids(lanes)), eq("fence", fence)));
    }

    /** Prolongs leases, of several claims by one statement; returns how many partitions these claims still have. */
    long renew(Collection<Lane> lanes, Collection<ObjectId> fences) {
        return collection
                .updateMany(and(in("_id", ids(lanes)), in("fence", fences)), List.of(leaseFromNow()))
                .getMatchedCount();
    }

    /** Gives partitions back without any outcome; returns how many of them the claim had. */
    long release(Collection<Lane> lanes, ObjectId fence) {
        // If a failover undoes it, the end of the lease does the same a little later.
        return collection
                .withWriteConcern(WriteConcern.W1)
                .updateMany(and(in("_id", ids(lanes)), eq("fence", fence)), RELEASE)
                .getMatchedCount();
    }

    static List<String> ids(Collection<Lane> lanes) {
        return lanes.stream().map(Lane::id).toList();
    }
}
