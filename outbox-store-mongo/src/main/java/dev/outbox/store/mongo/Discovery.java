package dev.outbox.store.mongo;

import com.mongodb.client.MongoCollection;
import dev.outbox.internal.Log;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.bson.BsonArray;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonNull;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.jspecify.annotations.Nullable;

/**
 * Looks for the partitions of some topics that have messages, in one round trip for many topics. For each topic the
 * server jumps from partition to partition in the index, so the cost is that of the partitions with messages, and not
 * that of the messages.
 */
final class Discovery {
    private static final Log LOG = Log.of(Discovery.class);

    /** A pipeline has at most 1000 stages. */
    private static final int TOPICS_AT_ONCE = 200;

    private final OutboxCollections collections;
    private final List<List<BsonDocument>> pipelines;
    private volatile boolean warned;

    Discovery(OutboxCollections collections, List<String> topics) {
        this.collections = collections;
        this.pipelines = IntStream.range(0, (topics.size() + TOPICS_AT_ONCE - 1) / TOPICS_AT_ONCE)
                .mapToObj(i ->
                        pipeline(topics.subList(i * TOPICS_AT_ONCE, Math.min(topics.size(), (i + 1) * TOPICS_AT_ONCE))))
                .toList();
    }

    /** What can be done with a partition at the moment. */
    enum State {
        /** It can be taken. */
        FREE,
        /** It failed, and its delay is not over. */
        DELAYED,
        /** A batch holds it. */
        HELD,
        /** A batch held it and did not release it in time. */
        EXPIRED,
        /** It has no document yet. */
        MISSING
    }

    /**
     * A partition that has messages.
     *
     * @param known its document, empty if it has none
     */
    record Found(Partition partition, State state, BsonDocument known) {
        BsonValue fence() {
            return known.get("fence", BsonNull.VALUE);
        }

        /** The id of the session, null of BSON if there is none. */
        BsonValue session() {
            return known.get("session", BsonNull.VALUE);
        }

        String owner() {
            return known.get("owner") instanceof BsonString owner ? owner.getValue() : "somebody";
        }
    }

    /** Messages of a topic that are in no partition, because they were written by hand. */
    record Odd(String topic, String partition) {
        String problem() {
            return "There are messages of " + topic + " whose partition is " + partition
                    + ", and nobody can serve them: a partition is a whole number that is not negative. Something else has"
                    + " written to the collections of the outbox; correct or delete them.";
        }
    }

    /** What is sent to the server. */
    List<List<BsonDocument>> pipelines() {
        return pipelines;
    }

    /** Finds partitions, without a snapshot. A claim of one of them checks it again. */
    List<Found> run() {
        return run(new ArrayList<>());
    }

    /**
     * The same.
     *
     * @param odd is given what is no number of a partition
     */
    List<Found> run(List<Odd> odd) {
        List<Found> found = new ArrayList<>();
        for (List<BsonDocument> pipeline : pipelines) {
            for (BsonDocument each :
                    collections.messages().aggregate(pipeline).batchSize(10_000).into(new ArrayList<>())) {
                Partition partition = StoredMessageCodec.partition(each);
                if (partition.equals(StoredMessageCodec.NOWHERE)) {
                    String topic = each.getString("topic").getValue();
                    odd.add(new Odd(topic, String.valueOf(each.get("partition"))));
                    warnOnce(topic, each.get("partition"));
                    continue;
                }
                found.add(new Found(
                        partition,
                        State.valueOf(each.getString("state").getValue()),
                        each.getDocument("known", new BsonDocument())));
            }
        }
        return found;
    }

    private void warnOnce(String topic, @Nullable BsonValue partition) {
        if (!warned) {
            warned = true;
            LOG.error("[OUTBOX-309] {}", new Odd(topic, String.valueOf(partition)).problem());
        }
    }

    private List<BsonDocument> pipeline(List<String> topics) {
        List<BsonDocument> stages = new ArrayList<>(partitionsOf(topics.get(0)));
        for (String topic : topics.subList(1, topics.size())) {
            stages.add(stage(
                    "$unionWith",
                    new BsonDocument("coll", name(collections.messages()))
                            .append("pipeline", new BsonArray(partitionsOf(topic)))));
        }
        stages.add(stage(
                "$lookup",
                new BsonDocument("from", name(collections.partitions()))
                        .append("localField", new BsonString("_id"))
                        .append("foreignField", new BsonString("_id"))
                        .append("as", new BsonString("known"))));
        stages.add(stage(
                "$unwind",
                new BsonDocument("path", new BsonString("$known"))
                        .append("preserveNullAndEmptyArrays", BsonBoolean.TRUE)));
        stages.add(stage(
                "$project",
                new BsonDocument("topic", new BsonInt32(1))
                        .append("partition", new BsonInt32(1))
                        .append("known", new BsonInt32(1))
                        .append("state", state())));
        return stages;
    }

    private static BsonDocument state() {
        BsonDocument free =
                when(PartitionDocuments.isOver("$known.retryAt"), literal(State.FREE), literal(State.DELAYED));
        BsonDocument taken =
                when(PartitionDocuments.isOver("$known.leaseUntil"), literal(State.EXPIRED), literal(State.HELD));
        BsonDocument documented = when(new BsonString("$known.fence"), taken, free);
        return when(new BsonString("$known"), documented, literal(State.MISSING));
    }

    private static List<BsonDocument> partitionsOf(String topic) {
        BsonString literal = new BsonString(topic);
        return List.of(
                stage("$match", new BsonDocument("topic", literal)),
                // This order, the index's, is what makes the server jump.
                stage("$sort", new BsonDocument("topic", new BsonInt32(1)).append("partition", new BsonInt32(1))),
                stage("$group", new BsonDocument("_id", new BsonString("$partition"))),
                stage(
                        "$project",
                        new BsonDocument(
                                        "_id",
                                        call(
                                                "$concat",
                                                new BsonDocument("$literal", new BsonString(topic + "/")),
                                                new BsonDocument(
                                                        "$convert",
                                                        new BsonDocument("input", new BsonString("$_id"))
                                                                .append("to", new BsonString("string"))
                                                                .append("onError", new BsonString("?"))
                                                                .append("onNull", new BsonString("?")))))
                                .append("topic", new BsonDocument("$literal", literal))
                                .append("partition", new BsonString("$_id"))));
    }

    private static BsonDocument stage(String name, BsonValue value) {
        return new BsonDocument(name, value);
    }

    private static BsonDocument call(String operator, BsonValue... arguments) {
        return new BsonDocument(operator, new BsonArray(List.of(arguments)));
    }

    /** A field that is not there is false, every document and every id is true. */
    private static BsonDocument when(BsonValue condition, BsonValue then, BsonValue otherwise) {
        return call("$cond", condition, then, otherwise);
    }

    private static BsonString literal(State state) {
        return new BsonString(state.name());
    }

    private static BsonString name(MongoCollection<?> collection) {
        return new BsonString(collection.getNamespace().getCollectionName());
    }

    static List<Found> in(State state, List<Found> found) {
        return found.stream().filter(each -> each.state() == state).toList();
    }
}
