package dev.outbox.store.mongo;

import static com.mongodb.client.model.Filters.and;
import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Filters.exists;
import static com.mongodb.client.model.Filters.gt;
import static com.mongodb.client.model.Filters.in;
import static com.mongodb.client.model.Sorts.ascending;

import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.model.Accumulators;
import com.mongodb.client.model.Aggregates;
import com.mongodb.client.model.Updates;
import dev.outbox.DeadLetter;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.PersistedMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonObjectId;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.conversions.Bson;
import org.bson.types.ObjectId;
import org.jspecify.annotations.Nullable;

/** {@link Operations} by plain statements; what changes several documents does so in a transaction. */
final class MongoOperations implements Operations {
    private final MongoClient client;
    private final OutboxCollections collections;

    MongoOperations(MongoClient client, OutboxCollections collections) {
        this.client = client;
        this.collections = collections;
    }

    @Override
    public List<Backlog> backlog() {
        BsonDocument lane =
                new BsonDocument("topic", new BsonString("$topic")).append("partition", new BsonString("$partition"));
        BsonDocument created = new BsonDocument(
                "$ifNull", new BsonArray(List.of(new BsonString("$created"), new BsonString("$position"))));
        return asking("Asking for the backlog", () -> {
            List<Backlog> backlog = new ArrayList<>();
            for (BsonDocument each : collections
                    .messages()
                    .aggregate(List.of(
                            Aggregates.group(lane, Accumulators.sum("pending", 1), Accumulators.min("oldest", created)),
                            Aggregates.sort(ascending("_id.topic", "_id.partition")),
                            new BsonDocument("$set", new BsonDocument("now", new BsonString("$$NOW")))))) {
                Instant oldest = StoredMessageCodec.instant(each.getTimestamp("oldest"));
                Instant now = Instant.ofEpochMilli(each.getDateTime("now").getValue());
                Duration age = Duration.between(oldest, now);
                backlog.add(new Backlog(
                        each.getDocument("_id").getString("topic").getValue(),
                        each.getDocument("_id").getNumber("partition").intValue(),
                        each.getNumber("pending").longValue(),
                        age.isNegative() ? Duration.ZERO : age));
            }
            return backlog;
        });
    }

    @Override
    public List<FailingPartition> failingPartitions() {
        return asking("Asking for failing partitions", () -> {
            List<BsonDocument> partitions = collections
                    .partitions()
                    .find(exists("failing"))
                    .sort(ascending("topic", "partition"))
                    .into(new ArrayList<>());
            Map<String, Integer> attempts = attempts(partitions);
            List<FailingPartition> failing = new ArrayList<>();
            for (BsonDocument each : partitions) {
                BsonDocument state = each.getDocument("failing");
                String id = state.getString("id").getValue();
                failing.add(new FailingPartition(
                        each.getString("topic").getValue(),
                        each.getNumber("partition").intValue(),
                        id,
                        attempts.getOrDefault(id, 1),
                        state.getString("reason").getValue(),
                        Instant.ofEpochMilli(each.getDateTime("retryAt").getValue())));
            }
            return failing;
        });
    }

    private Map<String, Integer> attempts(List<BsonDocument> partitions) {
        List<ObjectId> ids = partitions.stream()
                .map(each ->
                        new ObjectId(each.getDocument("failing").getString("id").getValue()))
                .toList();
        Map<String, Integer> attempts = new HashMap<>();
        for (BsonDocument each : collections
                .messages()
                .find(in("_id", ids))
                .projection(new BsonDocument("attempts", new BsonInt32(1)))) {
            attempts.put(
                    each.getObjectId("_id").getValue().toHexString(),
                    each.getNumber("attempts", new BsonInt32(1)).intValue());
        }
        return attempts;
    }

    /**
     * If a batch has the partition, it is being tried right now: nothing to wait for, nothing to do. And its document may be
     * part of a transaction that an update would have to wait for.
     */
    @Override
    public boolean retryNow(String topic, int partition) {
        Bson failing = and(eq("_id", new Lane(topic, partition).id()), exists("failing"));
        return asking("Ending the delay of a partition", () -> {
            collections
                    .partitions()
                    .updateOne(and(failing, exists("fence", false)), List.of(Updates.set("retryAt", "$$NOW")));
            return collections.partitions().find(failing).first() != null;
        });
    }

    @Override
    public List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit) {
        if (limit < 1) {
            throw new MisuseException("limit is " + limit + "; expected at least 1.");
        }
        return asking("Asking for dead letters", () -> {
            Bson wanted = eq("topic", topic);
            if (afterId != null) {
                BsonDocument after = isId(afterId)
                        ? collections
                                .deadLetters()
                                .find(and(eq("_id", new ObjectId(afterId)), eq("topic", topic)))
                                .first()
                        : null;
                if (after == null) {
                    throw new MisuseException("There is no dead letter " + afterId + " of topic " + topic
                            + " to start behind; it was redriven or discarded. Start again at the first page.");
                }
                wanted = and(wanted, gt("died", after.get("died")));
            }
            List<DeadLetter> letters = new ArrayList<>();
            for (BsonDocument each : collections
                    .deadLetters()
                    .find(wanted)
                    .sort(ascending("topic", "died"))
                    .limit(limit)) {
                letters.add(letter(each));
            }
            return letters;
        });
    }

    @Override
    public Optional<DeadLetter> deadLetter(String id) {
        return asking(
                "Asking for a dead letter",
                () -> isId(id)
                        ? Optional.ofNullable(collections
                                        .deadLetters()
                                        .find(eq("_id", new ObjectId(id)))
                                        .first())
                                .map(MongoOperations::letter)
                        : Optional.empty());
    }

    /**
     * The message in the outbox is new, so its place is the end; its id is what it was. Of two redrives of one dead letter
     * one is aborted, and when it is tried again, the dead letter is gone.
     */
    @Override
    public int redrive(Collection<String> ids) {
        return withFound(
                "Redriving dead letters",
                ids,
                (session, letters) -> collections
                        .messages()
                        .insertMany(
                                session,
                                letters.stream().map(Documents::redriven).toList()));
    }

    @Override
    public int discard(Collection<String> ids) {
        return withFound("Discarding dead letters", ids, (session, letters) -> {});
    }

    /** Deletes the dead letters after something was done with them, in the order given. */
    private int withFound(String doing, Collection<String> ids, Action action) {
        Set<BsonValue> wanted = new LinkedHashSet<>();
        ids.stream()
                .filter(MongoOperations::isId)
                .map(id -> new BsonObjectId(new ObjectId(id)))
                .forEach(wanted::add);
        if (wanted.isEmpty()) {
            return 0;
        }
        return asking(doing, () -> {
            try (ClientSession session = client.startSession()) {
                return session.withTransaction(
                        () -> {
                            Map<BsonValue, BsonDocument> found = new HashMap<>();
                            collections
                                    .deadLetters()
                                    .find(session, in("_id", wanted))
                                    .forEach(letter -> found.put(letter.get("_id"), letter));
                            List<BsonDocument> letters = wanted.stream()
                                    .filter(found::containsKey)
                                    .map(found::get)
                                    .toList();
                            if (!letters.isEmpty()) {
                                collections.deadLetters().deleteMany(session, in("_id", found.keySet()));
                                action.on(session, letters);
                            }
                            return letters.size();
                        },
                        Settlement.TRANSACTION);
            }
        });
    }

    private static DeadLetter letter(BsonDocument dead) {
        ObjectId id = dead.getObjectId("_id").getValue();
        Instant created = StoredMessageCodec.instant(dead.getTimestamp("created"));
        Instant died = Instant.ofEpochMilli(dead.getDateTime("diedAt").getValue());
        return new DeadLetter(
                new PersistedMessage(
                        id.toHexString(),
                        dead.getString("topic").getValue(),
                        dead.getNumber("partition").intValue(),
                        dead.containsKey("key") ? dead.getString("key").getValue() : null,
                        StoredMessageCodec.headers(dead.getArray("headers", new BsonArray())),
                        dead.getBinary("payload").getData(),
                        dead.getNumber("attempts").intValue(),
                        created),
                dead.getString("reason").getValue(),
                // The logical clock that says when it was created may be ahead of the one that says when it died.
                died.isBefore(created) ? created : died);
    }

    /** Whether we can have given out such an id: as we write it, and not in capitals. */
    private static boolean isId(String id) {
        return ObjectId.isValid(id) && new ObjectId(id).toHexString().equals(id);
    }

    private static <T> T asking(String doing, Supplier<T> question) {
        try {
            return question.get();
        } catch (MongoException | IllegalStateException e) {
            throw Failures.of(doing, e);
        }
    }

    @FunctionalInterface
    private interface Action {
        void on(ClientSession session, List<BsonDocument> letters);
    }
}
