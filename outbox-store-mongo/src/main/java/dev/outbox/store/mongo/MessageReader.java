package dev.outbox.store.mongo;

import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoCursor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.BsonTimestamp;

/** Reads the oldest messages of partitions, of several in one round trip. */
final class MessageReader {
    private static final int PARTITIONS_AT_ONCE = 50;
    static final BsonDocument OLDEST_FIRST = new BsonDocument("topic", new BsonInt32(1))
            .append("partition", new BsonInt32(1))
            .append("position", new BsonInt32(1));

    private static final BsonDocument LANE = new BsonDocument("_id", new BsonInt32(0))
            .append("topic", new BsonInt32(1))
            .append("partition", new BsonInt32(1));

    private final MongoCollection<StoredMessage> messages;
    private final long most;

    /**
     * @param most how long a read may take; beyond that its partitions may be others'
     */
    MessageReader(OutboxCollections collections, Duration most) {
        this.most = most.toMillis();
        this.messages = collections.messages().withDocumentClass(StoredMessage.class);
    }

    /** Reads of each partition its share, or what is left of it, as of its own snapshot. */
    void read(List<Held> partitions, ByteBudget budget) {
        Map<ClientSession, List<Held>> bySnapshot = new HashMap<>();
        partitions.stream()
                .filter(held -> held.share > 0)
                .forEach(held -> bySnapshot
                        .computeIfAbsent(held.snapshot, s -> new ArrayList<>())
                        .add(held));
        bySnapshot.forEach((snapshot, together) -> {
            for (int i = 0; i < together.size(); i += PARTITIONS_AT_ONCE) {
                read(snapshot, together.subList(i, Math.min(together.size(), i + PARTITIONS_AT_ONCE)), budget);
            }
        });
    }

    private void read(ClientSession snapshot, List<Held> partitions, ByteBudget budget) {
        if (budget.isSpent()) {
            return;
        }
        Held first = partitions.get(0);
        if (partitions.size() == 1) {
            readOne(snapshot, first, budget);
            return;
        }
        Map<Lane, Held> byLane = new HashMap<>();
        partitions.forEach(held -> byLane.put(held.lane, held));
        List<BsonDocument> stages = union(partitions, held -> pipeline(held, held.share, List.of()));
        long wanted = partitions.stream().mapToLong(held -> held.share).sum();
        try (MongoCursor<StoredMessage> cursor = messages.aggregate(snapshot, stages)
                .batchSize((int) Math.min(Integer.MAX_VALUE, wanted))
                .maxTime(most, TimeUnit.MILLISECONDS)
                .cursor()) {
            while (!budget.isSpent()) {
                if (!cursor.hasNext()) {
                    return;
                }
                StoredMessage message = cursor.next();
                Held held = byLane.get(message.lane());
                if (held == null) {
                    break; // somebody has written it by hand, with several topics perhaps: it is found out whose it is
                }
                budget.spend(message.bytes());
                held.add(message);
            }
        }
        partitions.stream()
                .filter(held -> held.left() > 0 && held.problem == null)
                .forEach(held -> readOne(snapshot, held, budget));
    }

    private void readOne(ClientSession snapshot, Held partition, ByteBudget budget) {
        if (budget.isSpent()) {
            return;
        }
        int share = partition.left();
        try (MongoCursor<StoredMessage> cursor = messages.find(snapshot, filter(partition))
                .sort(OLDEST_FIRST)
                .limit(share)
                .batchSize(share)
                .maxTime(most, TimeUnit.MILLISECONDS)
                .cursor()) {
            while (!budget.isSpent() && cursor.hasNext()) {
                StoredMessage message = cursor.next();
                budget.spend(message.bytes());
                partition.add(message);
            }
        }
    }

    /** Those that have a message more than was read, each as of its own snapshot, by the index alone. */
    Set<Lane> withMore(List<Held> partitions) {
        Set<Lane> found = new HashSet<>();
        Map<ClientSession, List<Held>> bySnapshot =
                partitions.stream().collect(Collectors.groupingBy(held -> held.snapshot));
        bySnapshot.forEach((snapshot, together) -> {
            for (int i = 0; i < together.size(); i += PARTITIONS_AT_ONCE) {
                List<BsonDocument> stages = union(
                        together.subList(i, Math.min(together.size(), i + PARTITIONS_AT_ONCE)),
                        held -> pipeline(held, 1, List.of(new BsonDocument("$project", LANE))));
                for (BsonDocument each : messages.withDocumentClass(BsonDocument.class)
                        .aggregate(snapshot, stages)
                        .maxTime(most, TimeUnit.MILLISECONDS)
                        .into(new ArrayList<>())) {
                    found.add(StoredMessageCodec.lane(each));
                }
            }
        });
        return found;
    }

    /** The first message of a partition as a transaction sees it, in a list that is empty if there is none. */
    Collection<StoredMessage> head(ClientSession transaction, Lane lane) {
        return messages.find(transaction, filter(lane))
                .sort(OLDEST_FIRST)
                .limit(1)
                .into(new ArrayList<>());
    }

    private List<BsonDocument> union(List<Held> partitions, Function<Held, List<BsonDocument>> pipeline) {
        List<BsonDocument> stages = new ArrayList<>(pipeline.apply(partitions.get(0)));
        for (Held held : partitions.subList(1, partitions.size())) {
            stages.add(new BsonDocument(
                    "$unionWith",
                    new BsonDocument(
                                    "coll",
                                    new BsonString(messages.getNamespace().getCollectionName()))
                            .append("pipeline", new BsonArray(pipeline.apply(held)))));
        }
        return stages;
    }

    private static List<BsonDocument> pipeline(Held held, int share, List<BsonDocument> last) {
        List<BsonDocument> stages = new ArrayList<>(List.of(
                new BsonDocument("$match", filter(held)),
                new BsonDocument("$sort", OLDEST_FIRST),
                new BsonDocument("$limit", new BsonInt64(share))));
        stages.addAll(last);
        return stages;
    }

    private static BsonDocument filter(Held held) {
        BsonDocument filter = filter(held.lane);
        BsonTimestamp after = held.after();
        return after == null ? filter : filter.append("position", new BsonDocument("$gt", after));
    }

    static BsonDocument filter(Lane lane) {
        return new BsonDocument("topic", new BsonString(lane.topic()))
                .append("partition", new BsonInt32(lane.partition()));
    }
}
