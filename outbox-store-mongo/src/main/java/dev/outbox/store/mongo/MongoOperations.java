package dev.outbox.store.mongo;

import static com.mongodb.client.model.Filters.and;
import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Filters.exists;
import static com.mongodb.client.model.Filters.expr;
import static com.mongodb.client.model.Filters.gt;
import static com.mongodb.client.model.Filters.gte;
import static com.mongodb.client.model.Filters.in;
import static com.mongodb.client.model.Filters.lt;
import static com.mongodb.client.model.Filters.lte;
import static com.mongodb.client.model.Filters.nor;
import static com.mongodb.client.model.Filters.or;
import static com.mongodb.client.model.Sorts.ascending;
import static com.mongodb.client.model.Sorts.descending;

import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoCursor;
import com.mongodb.client.model.Accumulators;
import com.mongodb.client.model.Aggregates;
import com.mongodb.client.model.Updates;
import dev.outbox.DeadLetter;
import dev.outbox.Holders.Holder;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.DeadLetterTopic;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.PersistedMessage;
import dev.outbox.internal.Log;
import dev.outbox.store.support.Place;
import dev.outbox.store.support.StoreOperations;
import dev.outbox.store.support.Surroundings;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.bson.BsonArray;
import org.bson.BsonBinary;
import org.bson.BsonDateTime;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonNull;
import org.bson.BsonNumber;
import org.bson.BsonString;
import org.bson.BsonTimestamp;
import org.bson.BsonValue;
import org.bson.conversions.Bson;
import org.jspecify.annotations.Nullable;

/** {@link Operations} by plain statements; what changes several documents does so in a transaction. */
final class MongoOperations implements StoreOperations {
    private static final Log LOG = Log.of(MongoOperations.class).sparing();
    private static final int PARTITIONS_AT_ONCE = 50;
    private static final int LETTERS_AT_ONCE = 500;

    /** For how long a part is tried for which the server has no room. */
    private static final Duration PATIENCE = Duration.ofSeconds(15);

    private static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(500);
    private static final BsonDocument SIZE = new BsonDocument("$bsonSize", new BsonString("$$ROOT"));

    private static final Bson FAILING = or(exists("failing"), exists(PartitionDocuments.PROBLEM));

    private final MongoClient client;
    private final OutboxCollections collections;
    private final Surroundings<OutboxCollections, RuntimeException> surroundings;

    MongoOperations(
            MongoClient client,
            OutboxCollections collections,
            Surroundings<OutboxCollections, RuntimeException> surroundings) {
        this.client = client;
        this.collections = collections;
        this.surroundings = surroundings;
    }

    @Override
    public List<Backlog> backlog() {
        return asking("Asking for the backlog", () -> {
            surroundings.requireNow(collections); // of collections that were dropped there would be none
            List<Partition> partitions = partitions(new ArrayList<>());
            List<Backlog> backlog = new ArrayList<>();
            for (int i = 0; i < partitions.size(); i += PARTITIONS_AT_ONCE) {
                backlog.addAll(backlog(partitions.subList(i, Math.min(partitions.size(), i + PARTITIONS_AT_ONCE))));
            }
            return backlog;
        });
    }

    /** Those with messages. */
    private List<Partition> partitions(List<Discovery.Odd> odd) {
        List<String> topics = topicsOf(collections.messages(), ascending("topic"));
        return topics.isEmpty()
                ? List.of()
                : new Discovery(collections, topics)
                        .run(odd).stream()
                                .map(Discovery.Found::partition)
                                .sorted()
                                .toList();
    }

    /**
     * What a distinct would do, which not every client of the application may ask for. The server jumps from topic to
     * topic in the index.
     */
    private static List<String> topicsOf(MongoCollection<BsonDocument> collection, Bson order) {
        List<String> topics = new ArrayList<>();
        collection
                .aggregate(List.of(Aggregates.sort(order), Aggregates.group("$topic")))
                .forEach(each -> {
                    BsonValue topic = each.get("_id");
                    if (topic != null && topic.isString()) {
                        topics.add(topic.asString().getValue());
                    }
                });
        topics.sort(null);
        return topics;
    }

    private List<Backlog> backlog(List<Partition> partitions) {
        Map<Integer, BsonDocument> heads = new HashMap<>();
        Map<Integer, Long> pending = new TreeMap<>();
        for (BsonDocument each : collections
                .messages()
                .aggregate(counting(
                        partitions,
                        new BsonString(collections.messages().getNamespace().getCollectionName())))
                .into(new ArrayList<>())) {
            int partition = each.getNumber("_id").intValue();
            if (each.containsKey("pending")) {
                pending.put(partition, each.getNumber("pending").longValue());
            } else {
                heads.put(partition, each);
            }
        }
        List<Backlog> backlog = new ArrayList<>();
        pending.forEach((partition, count) -> {
            BsonDocument head = heads.get(partition);
            if (head != null) {
                Instant now = Instant.ofEpochMilli(head.getDateTime("now").getValue());
                Instant oldest =
                        head.get("oldest") instanceof BsonTimestamp time ? StoredMessageCodec.instant(time) : now;
                Duration age = Duration.between(oldest, now);
                backlog.add(new Backlog(
                        partitions.get(partition).topic(),
                        partitions.get(partition).partition(),
                        count,
                        age.isNegative() ? Duration.ZERO : age));
            }
        });
        return backlog;
    }

    /**
     * Of each partition the number of messages, from the index alone and no further than it has to be exact
     * (OBX-OPS-1), and the first one's age. Numbered as in the list.
     *
     * @param messages the name of the collection
     */
    static List<BsonDocument> counting(List<Partition> partitions, BsonString messages) {
        List<BsonDocument> stages = new ArrayList<>();
        for (int i = 0; i < partitions.size(); i++) {
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
            add(stages, messages, partitions.get(i), Backlog.EXACT_UP_TO, new BsonDocument("$group", count));
            add(stages, messages, partitions.get(i), 1, new BsonDocument("$project", head));
        }
        return stages;
    }

    private static void add(
            List<BsonDocument> stages, BsonString messages, Partition partition, int limit, BsonDocument last) {
        List<BsonDocument> pipeline = List.of(
                new BsonDocument("$match", MessageReader.filter(partition)),
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

    /** Those that failed, and those that no relay can serve because of what was written by hand. */
    @Override
    public List<FailingPartition> failingPartitions() {
        return asking("Asking for failing partitions", () -> {
            List<FailingPartition> failing = failing(FAILING);
            List<Discovery.Odd> odd = new ArrayList<>();
            partitions(odd);
            odd.forEach(each -> failing.add(
                    new FailingPartition(each.topic(), -1, each.partition(), 1, each.problem(), Instant.EPOCH)));
            failing.sort(Comparator.comparing(FailingPartition::topic).thenComparingInt(FailingPartition::partition));
            return failing;
        });
    }

    @Override
    public List<FailingPartition> failingPartitions(String topic, SortedSet<Integer> partitions) {
        List<String> ids = partitions.stream()
                .map(partition -> new Partition(topic, partition).id())
                .toList();
        return asking("Asking for failing partitions of a topic", () -> failing(and(in("_id", ids), FAILING)));
    }

    private List<FailingPartition> failing(Bson those) {
        List<BsonDocument> partitionDocuments =
                collections.partitions().find(those).into(new ArrayList<>());
        Map<BsonValue, Integer> attempts = attempts(partitionDocuments);
        List<FailingPartition> failing = new ArrayList<>();
        for (BsonDocument each : partitionDocuments) {
            Partition partition = Partition.of(each.get("_id"));
            BsonDocument problem =
                    each.get(PartitionDocuments.PROBLEM) instanceof BsonDocument noted ? noted : new BsonDocument();
            FailedBefore failed = FailedBefore.of(each);
            if (attempts.containsKey(problem.get("message", BsonNull.VALUE))) {
                failing.add(new FailingPartition(
                        partition.topic(),
                        partition.partition(),
                        FailedBefore.text(problem.get("message")),
                        1,
                        FailedBefore.text(problem.get("text")),
                        instant(problem.get("since"))));
            } else if (failed != null) {
                failing.add(new FailingPartition(
                        partition.topic(),
                        partition.partition(),
                        failed.id(),
                        attempts.getOrDefault(stored(failed.id()), 1),
                        failed.reason(),
                        instant(each.get("retryAt"))));
            }
        }
        return failing;
    }

    /**
     * The rest of the first partition, and then the partitions after it: each is a range of the index, in its order.
     * What has no position was not written by us, and could not be gone past.
     */
    @Override
    public Listing listing(String topic, int first, int last) {
        return (after, limit, bytes) -> asking("Listing messages", () -> {
            surroundings.requireNow(collections);
            List<Placed> found = new ArrayList<>();
            long left = listed(inPartition(topic, after), limit, bytes, found);
            if (left > 0 && found.size() < limit && after.partition() < last) {
                left = listed(later(topic, after, last), limit - found.size(), left, found);
            }
            boolean more = left <= 0 || found.size() == limit;
            return new Portion(found, more ? found.get(found.size() - 1).place() : null);
        });
    }

    static Bson inPartition(String topic, Place after) {
        return and(
                MessageReader.filter(new Partition(topic, after.partition())),
                gt("position", new BsonTimestamp((int) after.major(), (int) after.minor())));
    }

    static Bson later(String topic, Place after, int last) {
        return and(
                eq("topic", topic),
                gte("partition", after.partition() + 1), // also if hands wrote half a number
                lte("partition", last),
                gt("position", new BsonTimestamp(0)));
    }

    /**
     * Adds messages, and returns how many bytes are left. The server sends no more than the bytes of a document at a
     * time, and the rest only if it is asked for.
     */
    private long listed(Bson those, int limit, long bytes, List<Placed> found) {
        long left = bytes;
        try (MongoCursor<BsonDocument> messages = collections
                .messages()
                .find(those)
                .sort(MessageReader.OLDEST_FIRST)
                .limit(limit)
                .iterator()) {
            while (left > 0 && messages.hasNext()) {
                BsonDocument each = messages.next();
                BsonTimestamp position = each.getTimestamp("position");
                Placed placed = new Placed(
                        new Place(
                                each.getNumber("partition").intValue(),
                                Integer.toUnsignedLong(position.getTime()),
                                Integer.toUnsignedLong(position.getInc())),
                        shown(each));
                found.add(placed);
                left -= placed.bytes();
            }
        }
        return left;
    }

    @Override
    public Optional<PersistedMessage> pending(String id) {
        BsonValue stored = Ids.parse(id);
        return stored == null
                ? Optional.empty()
                : asking("Finding a message", () -> {
                    surroundings.requireNow(collections);
                    return Optional.ofNullable(collections
                                    .messages()
                                    .find(eq("_id", stored))
                                    .first())
                            .map(MongoOperations::shown);
                });
    }

    /** A message. Of one that was spoilt, what can be read of it: failing partitions say what cannot. */
    private static PersistedMessage shown(BsonDocument message) {
        Partition partition = StoredMessageCodec.partition(message);
        BsonValue position = message.get("created", message.get("position", BsonNull.VALUE));
        return new PersistedMessage(
                FailedBefore.text(message.get("_id")),
                partition.topic(),
                partition.partition(),
                message.get("key") instanceof BsonString key ? key.getValue() : null,
                message.get("headers") instanceof BsonArray headers ? shown(headers) : Map.of(),
                message.get("payload") instanceof BsonBinary payload ? payload.getData() : new byte[0],
                message.get("attempts") instanceof BsonNumber attempts ? Math.max(0, attempts.intValue()) : 0,
                position instanceof BsonTimestamp time ? StoredMessageCodec.instant(time) : Instant.EPOCH);
    }

    private static Map<String, String> shown(BsonArray headers) {
        try {
            return StoredMessageCodec.headers(headers);
        } catch (RuntimeException e) { // whatever it is that hands have written
            return Map.of();
        }
    }

    /** The server's clock says which leases are over. */
    @Override
    public List<Holder> holders() {
        return asking("Asking who holds partitions", () -> {
            List<Holder> holders = new ArrayList<>();
            for (BsonDocument each : collections
                    .partitions()
                    .find(and(exists("fence"), nor(expr(PartitionDocuments.isOver("$leaseUntil")))))
                    .into(new ArrayList<>())) {
                Partition partition = Partition.of(each.get("_id"));
                holders.add(new Holder(
                        partition.topic(),
                        partition.partition(),
                        FailedBefore.text(each.get("owner")),
                        null,
                        instant(each.get("leaseUntil"))));
            }
            holders.sort(Comparator.comparing(Holder::topic).thenComparingInt(Holder::partition));
            return holders;
        });
    }

    private static Instant instant(@Nullable BsonValue time) {
        return time instanceof BsonDateTime date ? Instant.ofEpochMilli(date.getValue()) : Instant.EPOCH;
    }

    /** Of the messages that partitions name, as far as they are still there: how often they were tried. */
    private Map<BsonValue, Integer> attempts(List<BsonDocument> partitionDocuments) {
        List<BsonValue> ids = new ArrayList<>();
        for (BsonDocument each : partitionDocuments) {
            FailedBefore failed = FailedBefore.of(each);
            ids.add(failed == null ? BsonNull.VALUE : stored(failed.id()));
            ids.add(
                    each.get(PartitionDocuments.PROBLEM) instanceof BsonDocument noted
                            ? noted.get("message", BsonNull.VALUE)
                            : BsonNull.VALUE);
        }
        Map<BsonValue, Integer> attempts = new HashMap<>();
        collections
                .messages()
                .find(in("_id", ids))
                .projection(new BsonDocument("attempts", new BsonInt32(1)))
                .forEach(each -> attempts.put(
                        each.get("_id"),
                        each.get("attempts") instanceof BsonNumber number ? Math.max(1, number.intValue()) : 1));
        return attempts;
    }

    private static BsonValue stored(String id) {
        BsonValue stored = Ids.parse(id);
        return stored == null ? BsonNull.VALUE : stored;
    }

    /**
     * If a batch has the partition, it is being tried right now: nothing to wait for, nothing to do. And its document
     * may be part of a transaction that an update would have to wait for.
     */
    @Override
    public boolean retryNow(String topic, int partition) {
        Bson failing = and(eq("_id", new Partition(topic, partition).id()), exists("failing"));
        return asking("Ending the delay of a partition", () -> {
            collections
                    .partitions()
                    .updateOne(and(failing, exists("fence", false)), List.of(Updates.set("retryAt", "$$NOW")));
            return collections.partitions().find(failing).first() != null;
        });
    }

    /**
     * A prefix of the names of documents finds those of the topic, and of topics whose names begin with its own and a
     * slash, which are left out. As with one partition, those that a batch has are counted and left alone.
     */
    @Override
    public int retryNow(String topic) {
        Bson failing = and(
                gte("_id", topic + "/"), lt("_id", topic + (char) ('/' + 1)), eq("topic", topic), exists("failing"));
        return asking("Ending the delays of a topic", () -> {
            List<BsonValue> all = new ArrayList<>();
            collections
                    .partitions()
                    .find(failing)
                    .projection(new BsonDocument("_id", new BsonInt32(1)))
                    .forEach(each -> all.add(each.get("_id")));
            for (int i = 0; i < all.size(); i += LETTERS_AT_ONCE) {
                List<BsonValue> some = all.subList(i, Math.min(all.size(), i + LETTERS_AT_ONCE));
                collections
                        .partitions()
                        .updateMany(
                                and(in("_id", some), exists("failing"), exists("fence", false)),
                                List.of(Updates.set("retryAt", "$$NOW")));
            }
            return all.size();
        });
    }

    /** The index has one entry of each topic looked at, and two more and its count up to where it has to be exact. */
    @Override
    public List<DeadLetterTopic> deadLetterTopics() {
        return asking("Asking for topics with dead letters", () -> {
            List<DeadLetterTopic> topics = new ArrayList<>();
            for (String topic : topicsOf(collections.deadLetters(), ascending("topic"))) {
                Bson those = eq("topic", topic);
                Instant first = diedAt(those, ascending("topic", "died"));
                Instant last = diedAt(those, descending("topic", "died"));
                long count = 0;
                for (BsonDocument each : collections
                        .deadLetters()
                        .aggregate(List.of(
                                Aggregates.match(those),
                                Aggregates.sort(ascending("topic", "died")),
                                Aggregates.limit(Backlog.EXACT_UP_TO),
                                Aggregates.group("$topic", Accumulators.sum("count", new BsonInt32(1)))))) {
                    count = each.getNumber("count").longValue();
                }
                if (count > 0 && first != null && last != null) {
                    topics.add(new DeadLetterTopic(topic, count, first, last));
                }
            }
            return topics;
        });
    }

    private @Nullable Instant diedAt(Bson those, Bson order) {
        BsonDocument letter = collections
                .deadLetters()
                .find(those)
                .sort(order)
                .projection(new BsonDocument("diedAt", new BsonInt32(1)))
                .first();
        return letter == null ? null : instant(letter.get("diedAt"));
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
            try (MongoCursor<BsonDocument> cursor = collections
                    .deadLetters()
                    .find(wanted)
                    .sort(ascending("topic", "died"))
                    .batchSize(limit)
                    .cursor()) {
                while (letters.size() < limit && cursor.hasNext()) {
                    readable(cursor.next()).ifPresent(letters::add);
                }
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
                                .flatMap(MongoOperations::readable));
    }

    /**
     * The message in the outbox is new, so its place is the end; its id is what it was. Of two redrives of one dead
     * letter one is aborted, and when it is tried again, the dead letter is gone.
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
                                letters.stream().map(MessageDocuments::redriven).toList()));
    }

    @Override
    public int discard(Collection<String> ids) {
        return asking("Discarding dead letters", () -> {
            long discarded = 0;
            List<BsonValue> wanted = new ArrayList<>(known(ids));
            for (int i = 0; i < wanted.size(); i += LETTERS_AT_ONCE) {
                List<BsonValue> some = wanted.subList(i, Math.min(wanted.size(), i + LETTERS_AT_ONCE));
                discarded +=
                        collections.deadLetters().deleteMany(in("_id", some)).getDeletedCount();
            }
            return (int) discarded;
        });
    }

    private static Set<BsonValue> known(Collection<String> ids) {
        Set<BsonValue> wanted = new LinkedHashSet<>();
        for (String id : ids) {
            BsonValue stored = Ids.parse(id);
            if (stored != null) {
                wanted.add(stored);
            }
        }
        return wanted;
    }

    /**
     * Deletes the dead letters after something was done with them, in the order given; as many in a transaction as fit
     * into one with any cache.
     */
    private int withFound(String doing, Collection<String> ids, Action action) {
        return asking(doing, () -> {
            int done = 0;
            try (ClientSession session = client.startSession()) {
                for (List<BsonValue> some : together(known(ids))) {
                    done += inTransactions(session, some, action, System.nanoTime() + PATIENCE.toNanos());
                }
            }
            return done;
        });
    }

    /**
     * In one transaction; or, where the server's cache cannot take it, in two with half of it each. One by one they are
     * waited for.
     */
    private int inTransactions(ClientSession session, List<BsonValue> wanted, Action action, long end) {
        for (long pause = TimeUnit.MILLISECONDS.toNanos(10); ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
            try {
                return session.withTransaction(() -> transfer(session, wanted, action), BatchCloser.TRANSACTION);
            } catch (MongoException e) {
                if (!StoreErrors.isOutOfCache(e) || System.nanoTime() - end >= 0) {
                    throw e;
                }
            }
            if (wanted.size() > 1) {
                int half = wanted.size() / 2;
                return inTransactions(session, wanted.subList(0, half), action, end)
                        + inTransactions(session, wanted.subList(half, wanted.size()), action, end);
            }
            LockSupport.parkNanos(pause);
        }
    }

    private int transfer(ClientSession session, List<BsonValue> wanted, Action action) {
        Map<BsonValue, BsonDocument> found = new HashMap<>();
        collections
                .deadLetters()
                .find(session, in("_id", wanted))
                .forEach(letter -> found.put(letter.get("_id"), letter));
        if (!found.isEmpty()) {
            // A message that was restored by hand, say. Its letter stays, because two messages cannot have one id.
            collections
                    .messages()
                    .find(session, in("_id", List.copyOf(found.keySet())))
                    .projection(new BsonDocument("_id", new BsonInt32(1)))
                    .forEach(pending -> found.remove(pending.get("_id")));
        }
        List<BsonDocument> letters =
                wanted.stream().filter(found::containsKey).map(found::get).toList();
        if (!letters.isEmpty()) {
            collections.deadLetters().deleteMany(session, in("_id", found.keySet()));
            action.on(session, letters);
        }
        return letters.size();
    }

    /** Parts of what is there, in the same order, of some hundreds and some megabytes. */
    private List<List<BsonValue>> together(Set<BsonValue> wanted) {
        Map<BsonValue, Long> sizes = new HashMap<>();
        List<BsonValue> all = new ArrayList<>(wanted);
        for (int i = 0; i < all.size(); i += LETTERS_AT_ONCE) {
            collections
                    .deadLetters()
                    .aggregate(List.of(
                            Aggregates.match(in("_id", all.subList(i, Math.min(all.size(), i + LETTERS_AT_ONCE)))),
                            Aggregates.project(new BsonDocument("size", SIZE))))
                    .forEach(each ->
                            sizes.put(each.get("_id"), each.getNumber("size").longValue()));
        }
        List<List<BsonValue>> parts = new ArrayList<>();
        ByteBudget budget = new ByteBudget();
        List<BsonValue> part = new ArrayList<>();
        for (BsonValue id : all) {
            Long size = sizes.get(id);
            if (size == null) {
                continue;
            }
            part.add(id);
            budget.spend(size);
            if (budget.isSpent() || part.size() == LETTERS_AT_ONCE) {
                parts.add(part);
                part = new ArrayList<>();
                budget.renew();
            }
        }
        if (!part.isEmpty()) {
            parts.add(part);
        }
        return parts;
    }

    /** Empty if it was changed by hand and cannot be read, so that the others are listed nevertheless. */
    private static Optional<DeadLetter> readable(BsonDocument dead) {
        try {
            return Optional.of(letter(dead));
        } catch (RuntimeException e) {
            LOG.error(
                    "[OUTBOX-308] Dead letter {} cannot be read: {}. Something else has written to the collections of"
                            + " the outbox; correct or delete it.",
                    dead.get("_id"),
                    e.getMessage());
            return Optional.empty();
        }
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
            throw StoreErrors.of(doing, e);
        }
    }

    @FunctionalInterface
    private interface Action {
        void on(ClientSession session, List<BsonDocument> letters);
    }
}
