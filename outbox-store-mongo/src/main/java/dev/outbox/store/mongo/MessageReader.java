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
    void read(List<HeldPartition> partitionDocuments, ByteBudget budget) {
        Map<ClientSession, List<HeldPartition>> bySnapshot = new HashMap<>();
        partitionDocuments.stream()
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

    private void read(ClientSession snapshot, List<HeldPartition> partitionDocuments, ByteBudget budget) {
        if (budget.isSpent()) {
            return;
        }
        HeldPartition first = partitionDocuments.get(0);
        if (partitionDocuments.size() == 1) {
            readOne(snapshot, first, budget);
            return;
        }
        Map<Partition, HeldPartition> byLane = new HashMap<>();
        partitionDocuments.forEach(held -> byLane.put(held.partition, held));
        List<BsonDocument> stages = union(partitionDocuments, held -> pipeline(held, held.share, List.of()));
        long wanted = partitionDocuments.stream().mapToLong(held -> held.share).sum();
        try (MongoCursor<StoredMessage> cursor = messages.aggregate(snapshot, stages)
                .batchSize((int) Math.min(Integer.MAX_VALUE, wanted))
                .maxTime(most, TimeUnit.MILLISECONDS)
                .cursor()) {
            while (!budget.isSpent()) {
                if (!cursor.hasNext()) {
                    return;
                }
                StoredMessage message = cursor.next();
                HeldPartition held = byLane.get(message.partition());
                if (held == null) {
                    break; // it was written by hand, perhaps with several topics: a later step finds out whose it is
                }
                budget.spend(message.bytes());
                held.add(message);
            }
        }
        partitionDocuments.stream()
                .filter(held -> held.left() > 0 && held.problem == null)
                .forEach(held -> readOne(snapshot, held, budget));
    }

    private void readOne(ClientSession snapshot, HeldPartition partition, ByteBudget budget) {
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
    Set<Partition> withMore(List<HeldPartition> partitionDocuments) {
        Set<Partition> found = new HashSet<>();
        Map<ClientSession, List<HeldPartition>> bySnapshot =
                partitionDocuments.stream().collect(Collectors.groupingBy(held -> held.snapshot));
        bySnapshot.forEach((snapshot, together) -> {
            for (int i = 0; i < together.size(); i += PARTITIONS_AT_ONCE) {
                List<BsonDocument> stages = union(
                        together.subList(i, Math.min(together.size(), i + PARTITIONS_AT_ONCE)),
                        held -> pipeline(held, 1, List.of(new BsonDocument("$project", LANE))));
                for (BsonDocument each : messages.withDocumentClass(BsonDocument.class)
                        .aggregate(snapshot, stages)
                        .maxTime(most, TimeUnit.MILLISECONDS)
                        .into(new ArrayList<>())) {
                    found.add(StoredMessageCodec.partition(each));
                }
            }
        });
        return found;
    }

    /** The first message of a partition as a transaction sees it, in a list that is empty if there is none. */
    Collection<StoredMessage> head(ClientSession transaction, Partition partition) {
        return messages.find(transaction, filter(partition))
                .sort(OLDEST_FIRST)
                .limit(1)
                .into(new ArrayList<>());
    }

    private List<BsonDocument> union(
            List<HeldPartition> partitionDocuments, Function<HeldPartition, List<BsonDocument>> pipeline) {
        List<BsonDocument> stages = new ArrayList<>(pipeline.apply(partitionDocuments.get(0)));
        for (HeldPartition held : partitionDocuments.subList(1, partitionDocuments.size())) {
            stages.add(new BsonDocument(
                    "$unionWith",
                    new BsonDocument(
                                    "coll",
                                    new BsonString(messages.getNamespace().getCollectionName()))
                            .append("pipeline", new BsonArray(pipeline.apply(held)))));
        }
        return stages;
    }

    private static List<BsonDocument> pipeline(HeldPartition held, int share, List<BsonDocument> last) {
        List<BsonDocument> stages = new ArrayList<>(List.of(
                new BsonDocument("$match", filter(held)),
                new BsonDocument("$sort", OLDEST_FIRST),
                new BsonDocument("$limit", new BsonInt64(share))));
        stages.addAll(last);
        return stages;
    }

    private static BsonDocument filter(HeldPartition held) {
        BsonDocument filter = filter(held.partition);
        BsonTimestamp after = held.after();
        return after == null ? filter : filter.append("position", new BsonDocument("$gt", after));
    }

    static BsonDocument filter(Partition partition) {
        return new BsonDocument("topic", new BsonString(partition.topic()))
                .append("partition", new BsonInt32(partition.partition()));
    }
}
