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
import com.mongodb.client.model.Updates;
import dev.outbox.DeadLetter;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.PersistedMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.conversions.Bson;
import org.jspecify.annotations.Nullable;

/** {@link Operations} by plain statements; what changes several documents does so in a transaction. */
final class MongoOperations implements Operations {
    private static final int PARTITIONS_AT_ONCE = 50;

    private final MongoClient client;
    private final OutboxCollections collections;

    MongoOperations(MongoClient client, OutboxCollections collections) {
        this.client = client;
        this.collections = collections;
    }

    @Override
    public List<Backlog> backlog() {
        return asking("Asking for the backlog", () -> {
            List<String> topics = new ArrayList<>();
            for (BsonValue topic : collections.messages().distinct("topic", BsonValue.class)) {
                if (topic.isString()) {
                    topics.add(topic.asString().getValue());
                }
            }
            List<Lane> lanes = topics.isEmpty()
                    ? List.of()
                    : new Discovery(collections, topics)
                            .run().stream().map(Discovery.Found::lane).sorted().toList();
            List<Backlog> backlog = new ArrayList<>();
            for (int i = 0; i < lanes.size(); i += PARTITIONS_AT_ONCE) {
                backlog.addAll(backlog(lanes.subList(i, Math.min(lanes.size(), i + PARTITIONS_AT_ONCE))));
            }
            return backlog;
        });
    }

    private List<Backlog> backlog(List<Lane> lanes) {
        Map<Integer, BsonDocument> heads = new HashMap<>();
        Map<Integer, Long> pending = new TreeMap<>();
        for (BsonDocument each : collections
                .messages()
                .aggregate(counting(
                        lanes,
                        new BsonString(collections.messages().getNamespace().getCollectionName())))) {
            int lane = each.getNumber("_id").intValue();
            if (each.containsKey("pending")) {
                pending.put(lane, each.getNumber("pending").longValue());
            } else {
                heads.put(lane, each);
            }
        }
        List<Backlog> backlog = new ArrayList<>();
        pending.forEach((lane, count) -> {
            BsonDocument head = heads.get(lane);
            if (head != null) {
                Instant oldest = StoredMessageCodec.instant(head.getTimestamp("oldest"));
                Instant now = Instant.ofEpochMilli(head.getDateTime("now").getValue());
                Duration age = Duration.between(oldest, now);
                backlog.add(new Backlog(
                        lanes.get(lane).topic(),
                        lanes.get(lane).partition(),
                        count,
                        age.isNegative() ? Duration.ZERO : age));
            }
        });
        return backlog;
    }

    /**
     * Of each partition the number of messages, from the index alone and no further than it has to be exact (OBX-OPS-1), and the first
     * one's age. Numbered as in the list.
     *
     * @param messages the name of the collection
     */
    static List<BsonDocument> counting(List<Lane> lanes, BsonString messages) {
        List<BsonDocument> stages = new ArrayList<>();
        for (int i = 0; i < lanes.size(); i++) {
            BsonDocument number = new BsonDocument("$literal", new BsonInt32(i));
            BsonDocument count = new BsonDocument("_id", number)
                    .append("pending", new BsonDocument("$sum", new BsonInt32(1)))
                    .append("first", new BsonDocument("$first", new BsonString("$position")));
            BsonDocument head = new BsonDocument("_id", number)
                    .append(
                            "oldest",
                            new BsonDocument(
                                    "$ifNull",
                                    new BsonArray(List.of(new BsonString("$created"), new BsonString("$position")))))
                    .append("now", new BsonString("$$NOW"));
            add(stages, messages, lanes.get(i), Backlog.EXACT_UP_TO, new BsonDocument("$group", count));
            add(stages, messages, lanes.get(i), 1, new BsonDocument("$project", head));
        }
        return stages;
    }

    private static void add(List<BsonDocument> stages, BsonString messages, Lane lane, int limit, BsonDocument last) {
        List<BsonDocument> pipeline = List.of(
                new BsonDocument("$match", MessageReader.filter(lane)),
                new BsonDocument("$sort", MessageReader.OLDEST_FIRST),
                new BsonDocument("$limit", new BsonInt32(limit)),
                last);
        if (stages.isEmpty()) {
            stages.addAll(pipeline);
        } else {
            stages.add(new BsonDocument(
                    "$unionWith", new BsonDocument("coll", messages).append("pipeline", new BsonArray(pipeline))));
        }
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
        List<BsonValue> ids = partitions.stream()
                .map(each ->
                        Ids.parse(each.getDocument("failing").getString("id").getValue()))
                .filter(Objects::nonNull)
                .toList();
        Map<String, Integer> attempts = new HashMap<>();
        for (BsonDocument each : collections
                .messages()
                .find(in("_id", ids))
                .projection(new BsonDocument("attempts", new BsonInt32(1)))) {
            attempts.put(
                    Ids.shown(each.get("_id")),
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
                BsonValue last = Ids.parse(afterId);
                BsonDocument after = last == null
                        ? null
                        : collections
                                .deadLetters()
                                .find(and(eq("_id", last), eq("topic", topic)))
                                .first();
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
        BsonValue stored = Ids.parse(id);
        return stored == null
                ? Optional.empty()
                : asking(
                        "Asking for a dead letter",
                        () -> Optional.ofNullable(collections
                                        .deadLetters()
                                        .find(eq("_id", stored))
                                        .first())
                                .map(MongoOperations::letter));
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
        for (String id : ids) {
            BsonValue stored = Ids.parse(id);
            if (stored != null) {
                wanted.add(stored);
            }
        }
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
        Instant created = StoredMessageCodec.instant(dead.getTimestamp("created"));
        Instant died = Instant.ofEpochMilli(dead.getDateTime("diedAt").getValue());
        return new DeadLetter(
                new PersistedMessage(
                        Ids.shown(dead.get("_id")),
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
