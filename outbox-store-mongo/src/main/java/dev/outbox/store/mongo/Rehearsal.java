package dev.outbox.store.mongo;

import static com.mongodb.client.model.Filters.and;
import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Filters.gte;
import static com.mongodb.client.model.Filters.in;
import static com.mongodb.client.model.Filters.lt;

import com.mongodb.ClientSessionOptions;
import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import dev.outbox.ConfigurationException;
import dev.outbox.internal.Log;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonObjectId;
import org.bson.BsonTimestamp;
import org.bson.BsonValue;
import org.bson.conversions.Bson;
import org.bson.types.ObjectId;
import org.jspecify.annotations.Nullable;

/**
 * Goes once, when a store is opened, through what it rests on: that the server gives messages positions, that these
 * rise, that a partition is taken by one, that it can be read as of the time of that, and that what was settled is
 * gone. Servers that imitate MongoDB have all the commands for it and do some of it otherwise. It removes
 * everything that it wrote; if its process dies, the next one that opens a store removes what is left.
 */
final class Rehearsal {
    private static final Log LOG = Log.of(Rehearsal.class);

    /** No relay asks for a topic that is no text, and no list shows it. */
    private static final BsonInt32 NO_TOPIC = new BsonInt32(0);

    /** No topic has such a name. */
    private static final String NAME = "?rehearsal-";

    private static final Duration ABANDONED = Duration.ofMinutes(10);

    private final MongoClient client;
    private final OutboxCollections collections;
    private final PartitionDocuments partitionDocuments;
    private final Partition partition = new Partition(NAME + new ObjectId().toHexString(), 0);
    private final List<ObjectId> messages = List.of(new ObjectId(), new ObjectId());

    Rehearsal(MongoClient client, OutboxCollections collections) {
        this.client = client;
        this.collections = collections;
        this.partitionDocuments = new PartitionDocuments(collections.partitions(), "rehearsal", ABANDONED);
    }

    /**
     * @throws ConfigurationException if the server is none that can hold an outbox
     * @throws IllegalStateException if it does not tell its time yet
     */
    void run() {
        try (ClientSession session = client.startSession(
                ClientSessionOptions.builder().causallyConsistent(true).build())) {
            removeAbandoned();
            List<BsonDocument> documents = new ArrayList<>();
            for (ObjectId id : messages) {
                documents.add(new BsonDocument("_id", new BsonObjectId(id))
                        .append("topic", NO_TOPIC)
                        .append("partition", NO_TOPIC)
                        .append("position", MessageDocuments.SET_BY_SERVER));
            }
            collections.messages().insertMany(session, documents);
            partitionDocuments.add(List.of(partition));
            ObjectId fence = new ObjectId();
            require(
                    partitionDocuments.take(session, partition, fence) != null,
                    "does not let a free partition be taken");
            require(
                    partitionDocuments.take(session, partition, new ObjectId()) == null,
                    "lets two take the same partition");
            requireRising(positions(session));
            session.withTransaction(
                    () -> {
                        partitionDocuments.releaseIn(session, partition, fence);
                        return collections.messages().deleteMany(session, in("_id", messages));
                    },
                    BatchCloser.TRANSACTION);
            require(positions(session).isEmpty(), "still shows what was deleted before");
            require(
                    partitionDocuments.release(List.of(partition), fence) == 0,
                    "still shows a hold that was given back");
        } finally {
            clearUp();
        }
    }

    /** In their order, as of the last thing that the session has done. */
    private List<@Nullable BsonValue> positions(ClientSession session) {
        try (ClientSession snapshot = client.startSession(
                ClientSessionOptions.builder().snapshot(true).build())) {
            snapshot.setSnapshotTimestamp(Checkout.timeOf(session));
            List<@Nullable BsonValue> positions = new ArrayList<>();
            collections
                    .messages()
                    .find(snapshot, in("_id", messages))
                    .sort(new BsonDocument("_id", new BsonInt32(1)))
                    .forEach(each -> positions.add(each.get("position")));
            return positions;
        }
    }

    /** What was written first comes first. */
    static void requireRising(List<@Nullable BsonValue> positions) {
        require(positions.size() == 2, "does not show what was written before, as of that time");
        boolean given = positions.stream().allMatch(each -> each instanceof BsonTimestamp time && time.getTime() != 0);
        require(given, "does not replace an empty timestamp by its own time when it inserts a document");
        require(
                ((BsonTimestamp) positions.get(0)).compareTo((BsonTimestamp) positions.get(1)) < 0,
                "does not give documents rising times in the order in which they are inserted");
    }

    private static void require(boolean kept, String otherwise) {
        if (!kept) {
            throw new ConfigurationException(
                    "The server " + otherwise + ", and an outbox rests on that. Servers that imitate"
                            + " MongoDB, such as Amazon DocumentDB, Azure Cosmos DB and FerretDB, cannot hold one.");
        }
    }

    private void removeAbandoned() {
        ObjectId old = new ObjectId((int) Instant.now().minus(ABANDONED).getEpochSecond(), 0);
        Bson ours = and(gte("_id", NAME), lt("_id", NAME + old.toHexString()));
        collections.partitions().deleteMany(ours);
        collections.messages().deleteMany(and(eq("topic", NO_TOPIC), lt("_id", old)));
    }

    private void clearUp() {
        try {
            collections.messages().deleteMany(in("_id", messages));
            collections.partitions().deleteOne(eq("_id", partition.id()));
        } catch (MongoException | IllegalStateException e) {
            LOG.debug("The next one to open a store removes what is left", e);
        }
    }
}
