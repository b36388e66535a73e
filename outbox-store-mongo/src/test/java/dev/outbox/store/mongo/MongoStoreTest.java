package dev.outbox.store.mongo;

import static dev.outbox.store.mongo.TestOutbox.TOPIC;
import static dev.outbox.store.mongo.TestOutbox.eventually;
import static dev.outbox.store.mongo.TestOutbox.message;
import static dev.outbox.store.mongo.TestOutbox.publishAll;
import static dev.outbox.store.mongo.TestOutbox.texts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.ConnectionString;
import com.mongodb.ExplainVerbosity;
import com.mongodb.MongoClientSettings;
import com.mongodb.ReadConcern;
import com.mongodb.ReadPreference;
import com.mongodb.WriteConcern;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.Updates;
import com.mongodb.event.CommandListener;
import com.mongodb.event.CommandStartedEvent;
import dev.outbox.Browsing;
import dev.outbox.Capabilities;
import dev.outbox.DeadLetter;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.MessageRejectedException;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.MongoServer;
import dev.outbox.servers.StandardError;
import dev.outbox.store.support.Place;
import dev.outbox.store.support.Surroundings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.bson.BsonDateTime;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonTimestamp;
import org.bson.Document;
import org.bson.conversions.Bson;
import org.bson.types.ObjectId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the store promises beyond the contract. */
@Tag("mongo")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MongoStoreTest {
    /** So that no lease is renewed while commands are counted. */
    private static final StoreOptions AN_HOUR = StoreOptions.defaults().with(MongoOutbox.LEASE, Duration.ofHours(1));

    private TestOutbox outbox;

    @BeforeEach
    void create() {
        outbox = new TestOutbox(MongoServer.shared());
    }

    @AfterEach
    void drop() {
        outbox.close();
    }

    private Store open() {
        return Stores.open(outbox.url);
    }

    private MongoCollection<Document> messages() {
        return outbox.database.getCollection("outbox_messages");
    }

    @Test
    void aSessionWithoutATransactionIsRefused() {
        try (ClientSession session = outbox.client.startSession()) {
            PersistFunc persist = MongoOutbox.persist(session, outbox.database);
            MisuseException refusal = assertThrows(MisuseException.class, () -> persist.persist(message(0, "m")));
            assertTrue(refusal.getMessage().contains("withTransaction"), refusal.getMessage());
            assertThrows(MisuseException.class, () -> persist.persistAll(List.of(message(0, "m"))));
            session.startTransaction();
            persist.persist(message(0, "m"));
            session.commitTransaction();
            assertThrows(MisuseException.class, () -> persist.persist(message(0, "m")), "after the commit");
        }
        assertEquals(1, messages().countDocuments());
    }

    @Test
    void manyDeadLettersAreRedrivenInParts() {
        int many = 20_000;
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < many; i += 2_000) {
            outbox.commitTogether(0, Collections.nCopies(2_000, "dead"));
        }
        // What closes do, for all of them at once.
        messages()
                .aggregate(List.of(
                        new Document("$sort", new Document("position", 1)),
                        new Document(
                                "$set",
                                new Document("died", "$position")
                                        .append("created", "$position")
                                        .append("diedAt", "$$NOW")
                                        .append("reason", "poison")
                                        .append("attempts", 1)),
                        new Document("$unset", "position"),
                        new Document("$merge", "outbox_dead_letters")))
                .toCollection();
        messages().deleteMany(new Document());
        outbox.database
                .getCollection("outbox_dead_letters", BsonDocument.class)
                .find()
                .forEach(letter -> ids.add(Ids.shown(letter.get("_id"))));
        Collections.shuffle(ids, new java.util.Random(1));
        try (Store store = MongoOutbox.store(outbox.client, outbox.name(), StoreOptions.defaults())) {
            Operations operations = Operations.of(store);
            outbox.commands.clear();
            assertEquals(10_000, operations.deadLetterTopics().get(0).deadLetters(), "counted as far as it has to be");
            assertEquals(4, outbox.commands.names().size(), "commands, however many there are");
            outbox.commands.clear();
            assertEquals(many, operations.redrive(ids));
            assertEquals(40, Collections.frequency(outbox.commands.names(), "commitTransaction"));
            long most = outbox.commands.sent().stream()
                    .filter(command -> command.containsKey("insert"))
                    .mapToLong(command -> command.getArray("documents", new org.bson.BsonArray())
                            .size())
                    .max()
                    .orElse(0);
            assertTrue(most <= 500, "messages of one command: " + most);
            List<String> came = new ArrayList<>();
            for (int some = 1; some > 0; ) {
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 2_000)) {
                    some = batch.messages().size();
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                    batch.messages().forEach(m -> came.add(m.id()));
                }
            }
            assertEquals(ids, came, "ids in the order in which they were given");
        }
    }

    @Test
    void topicsWithDeadLettersAreFoundByJumpingThroughTheIndex() {
        outbox.database
                .getCollection("outbox_dead_letters")
                .insertMany(IntStream.range(0, 3_000)
                        .mapToObj(i -> new Document("topic", "t" + i % 3).append("died", new BsonTimestamp(i + 1, 1)))
                        .toList());
        String plan = outbox.database
                .getCollection("outbox_dead_letters")
                .aggregate(List.of(
                        new Document("$sort", new Document("topic", 1)),
                        new Document("$group", new Document("_id", "$topic"))))
                .explain(ExplainVerbosity.EXECUTION_STATS)
                .toJson();
        assertTrue(plan.contains("DISTINCT_SCAN"), plan);
    }

    @Test
    void theLargestMessageCanEvenDieAndBeRedriven() {
        Map<String, String> headers = IntStream.range(0, 8_000)
                .boxed()
                .collect(Collectors.toMap(i -> new String(Character.toChars(0x4e00 + i)), i -> "\u6f22\u6f22\u6f22"));
        String key = "\u6f22".repeat(OutgoingMessage.MAX_KEY_LENGTH);
        byte[] payload = new byte[MongoPersist.MAX_PAYLOAD_BYTES];
        try (ClientSession session = outbox.client.startSession();
                Store store = open()) {
            session.startTransaction();
            PersistFunc persist = MongoOutbox.persist(session, outbox.database);
            String id = persist.persist(new OutgoingMessage(TOPIC, 0, key, headers, payload));
            MessageRejectedException refusal = assertThrows(
                    MessageRejectedException.class,
                    () -> persist.persist(new OutgoingMessage(TOPIC, 0, null, Map.of(), new byte[payload.length + 1])));
            assertTrue(refusal.getMessage().contains("15728640"), refusal.getMessage());
            session.commitTransaction();
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.deadLetter(batch.messages().get(0), "\u6f22".repeat(1_000));
            }
            DeadLetter letter = Operations.of(store).deadLetter(id).orElseThrow();
            assertEquals(headers, letter.message().headers());
            assertEquals(1, Operations.of(store).redrive(List.of(id)));
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                assertEquals(payload.length, batch.messages().get(0).payload().length);
                assertEquals(headers, batch.messages().get(0).headers());
            }
        }
    }

    @Test
    void manyLargeMessagesComeInFewBatchesAndInOrder() {
        try (ClientSession session = outbox.client.startSession();
                Store store = open()) {
            for (int i = 0; i < 6; i++) {
                byte[] payload = new byte[5 * 1024 * 1024];
                payload[0] = (byte) i;
                session.withTransaction(() -> MongoOutbox.persist(session, outbox.database)
                        .persist(new OutgoingMessage(TOPIC, 0, null, Map.of(), payload)));
            }
            List<Integer> came = new ArrayList<>();
            int batches = 0;
            for (; came.size() < 6; batches++) {
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                    batch.messages().forEach(m -> came.add((int) m.payload()[0]));
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                }
            }
            assertEquals(List.of(0, 1, 2, 3, 4, 5), came);
            assertEquals(2, batches, "batches, of four and of two");
        }
    }

    @Test
    void theClientsOwnDefaultsDoNotMatter() {
        outbox.commit(0, "1", "2", "3");
        outbox.commit(1, "4");
        MongoClientSettings settings = MongoClientSettings.builder()
                .applyConnectionString(new ConnectionString(outbox.url))
                .writeConcern(WriteConcern.UNACKNOWLEDGED)
                .readConcern(ReadConcern.AVAILABLE)
                .readPreference(ReadPreference.secondaryPreferred())
                .addCommandListener(outbox.commands)
                .build();
        try (MongoClient client = MongoClients.create(settings)) {
            Store store = MongoOutbox.store(client, outbox.name(), StoreOptions.defaults());
            outbox.commands.clear();
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.markPublished(batch.messages().get(0), null);
                batch.markFailed(batch.messages().get(1), "away", Duration.ZERO);
                batch.deadLetter(batch.messages().get(2), "unreadable");
            }
            int commits = 0;
            for (BsonDocument command : outbox.commands.sent()) {
                String name = command.getFirstKey();
                boolean inTransaction = command.containsKey("autocommit");
                if (name.equals("commitTransaction")
                        || !inTransaction
                                && (name.equals("update") || name.equals("findAndModify") || name.equals("insert"))) {
                    assertEquals(
                            "majority",
                            command.getDocument("writeConcern").getString("w").getValue(),
                            command.toString());
                    commits++;
                }
                if (!inTransaction && name.equals("find")) {
                    assertEquals(
                            "snapshot",
                            command.getDocument("readConcern")
                                    .getString("level")
                                    .getValue(),
                            command.toString());
                }
                assertFalse(command.containsKey("$readPreference") && inTransaction, command.toString());
            }
            assertTrue(commits >= 2, "a claim and a commit: " + outbox.commands.names());
            client.getDatabase(outbox.name())
                    .runCommand(new Document("ping", 1)); // still open, it is the application's
            store.close();
            client.getDatabase(outbox.name()).runCommand(new Document("ping", 1));
        }
    }

    @Test
    void anIdlePollIsOneCommand() {
        outbox.commit(0, "1");
        try (Store store = MongoOutbox.store(outbox.client, outbox.name(), StoreOptions.defaults())) {
            assertEquals(List.of("1"), publishAll(store));
            publishAll(store);
            outbox.commands.clear();
            publishAll(store);
            assertEquals(List.of("aggregate"), outbox.commands.names());
        }
    }

    @Test
    void messagesOfACallAreOneCommand() {
        List<String> ids;
        try (ClientSession session = outbox.client.startSession()) {
            session.startTransaction();
            outbox.commands.clear();
            ids = MongoOutbox.persist(session, outbox.database)
                    .persistAll(List.of(message(0, "1"), message(0, "2"), message(0, "3")));
            session.commitTransaction();
            assertEquals(List.of("insert", "commitTransaction"), outbox.commands.names());
        }
        try (Store store = open();
                MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
            assertEquals(
                    ids, batch.messages().stream().map(PersistedMessage::id).toList());
        }
    }

    /** What a user pays in round trips. Looking for partitions, one command, comes on top now and then. */
    @Test
    void aMessageIsOneCommandAndABatchIsFour() {
        outbox.commands.clear();
        outbox.commit(0, "1", "2", "3", "4", "5", "6", "7");
        assertEquals(Collections.nCopies(7, "insert"), outbox.commands.names().subList(0, 7), "persisted messages");
        assertEquals(List.of("commitTransaction"), outbox.commands.names().subList(7, 8), "and no more than that");
        assertEquals(8, outbox.commands.names().size());
        try (Store store = MongoOutbox.store(outbox.client, outbox.name(), AN_HOUR.withWakeUp(false))) {
            store.checkout(Set.of(TOPIC), 1).close(); // from now on the partition is known
            outbox.commands.clear();
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 2)) {
                assertEquals(List.of("findAndModify", "find"), withoutLooking(), "a checkout");
                batch.messages().forEach(m -> batch.markPublished(m, null));
                outbox.commands.clear();
            }
            assertEquals(List.of("bulkWrite", "commitTransaction"), withoutLooking(), "a close");
            MessageBatch released = store.checkout(Set.of(TOPIC), 2);
            outbox.commands.clear();
            released.close();
            assertEquals(List.of("update"), withoutLooking(), "a close without outcomes");
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 3)) {
                batch.markPublished(batch.messages().get(0), null);
                batch.deadLetter(batch.messages().get(1), "unreadable");
                batch.markFailed(batch.messages().get(2), "away", Duration.ZERO);
                outbox.commands.clear();
            }
            assertEquals(
                    List.of("update", "delete", "update", "delete", "insert", "update", "commitTransaction"),
                    withoutLooking(),
                    "a close with every outcome: the partition, what is settled, attempts, dead letters in place of"
                            + " those of the same ids, and their dates");
        }
    }

    /** As before MongoDB 8.0, and as after a failover to such a member. */
    @Test
    void aCloseWithoutTheCommandForSeveralStatementsIsOneCommandMore() {
        outbox.commit(0, "1", "2");
        outbox.commit(1, "3");
        OutboxCollections collections = OutboxCollections.of(outbox.database, MongoOutbox.DEFAULT_PREFIX);
        try (Store store = new MongoStore(
                outbox.client,
                null,
                collections,
                new BulkWrites(outbox.client.getDatabase("admin"), collections, false),
                Duration.ofHours(1),
                Capabilities.all(),
                new Surroundings<>(nothing -> null))) {
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.messages().forEach(m -> batch.markPublished(m, null));
                outbox.commands.clear();
            }
            assertEquals(List.of("update", "delete", "commitTransaction"), withoutLooking(), "a close");
            assertEquals(0, messages().countDocuments());
            outbox.commit(0, "4");
            MessageBatch stale = store.checkout(Set.of(TOPIC), 10);
            stale.markPublished(stale.messages().get(0), null);
            outbox.database
                    .getCollection("outbox_partitions")
                    .updateMany(new Document(), Updates.set("fence", new ObjectId()));
            assertThrows(HoldLostException.class, stale::close);
            assertEquals(1, messages().countDocuments(), "nothing of the batch took effect");
        }
    }

    private List<String> withoutLooking() {
        List<String> names = new ArrayList<>(outbox.commands.names());
        names.remove("aggregate");
        return names;
    }

    @Test
    void storesThatFindANewPartitionTogetherMakeItOnce() throws Exception {
        int relays = 8;
        ExecutorService threads = Executors.newFixedThreadPool(relays);
        CyclicBarrier together = new CyclicBarrier(relays);
        List<Store> stores = new ArrayList<>();
        Set<String> written = new HashSet<>();
        Queue<String> came = new ConcurrentLinkedQueue<>();
        try {
            for (int i = 0; i < relays; i++) {
                stores.add(MongoOutbox.store(outbox.client, outbox.name(), StoreOptions.defaults()));
            }
            for (int round = 0; round < 10; round++) {
                // Of a partition count that no relay was told of.
                for (int partition : new int[] {round, 1_000 + round, Integer.MAX_VALUE - round}) {
                    outbox.commit(partition, "m" + partition);
                    written.add("m" + partition);
                }
                List<Future<?>> tasks = new ArrayList<>();
                for (Store store : stores) {
                    tasks.add(threads.submit(() -> {
                        together.await();
                        came.addAll(publishAll(store));
                        return true;
                    }));
                }
                for (Future<?> task : tasks) {
                    task.get();
                }
            }
            eventually("all is published", () -> {
                stores.forEach(store -> came.addAll(publishAll(store)));
                return came.size() >= written.size() ? true : null;
            });
        } finally {
            stores.forEach(Store::close);
            threads.shutdownNow();
        }
        assertEquals(written.size(), came.size(), "messages that came");
        assertEquals(written, Set.copyOf(came));
        assertEquals(
                written.size(),
                outbox.database.getCollection("outbox_partitions").countDocuments(),
                "documents of partitions");
    }

    @Test
    void lookingForPartitionsCostsNothingPerMessage() {
        List<Document> many = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            many.add(new Document("topic", i % 2 == 0 ? TOPIC : "bills")
                    .append("partition", i % 5)
                    .append("position", new BsonTimestamp(0, 0))
                    .append("payload", new byte[1]));
        }
        messages().insertMany(many);
        OutboxCollections collections = OutboxCollections.of(outbox.database, MongoOutbox.DEFAULT_PREFIX);
        Discovery discovery = new Discovery(collections, List.of(TOPIC, "bills"));
        assertEquals(10, discovery.run().size(), "partitions");
        String plan = collections
                .messages()
                .aggregate(discovery.pipelines().get(0))
                .explain(ExplainVerbosity.EXECUTION_STATS)
                .toJson();
        int examined = sum("totalKeysExamined", plan);
        assertTrue(examined >= 10 && examined <= 100, examined + " keys of the index were looked at: " + plan);
    }

    private static int sum(String name, String plan) {
        int sum = 0;
        for (String part : plan.split("\"" + name + "\": ", -1)) {
            String number = part.replaceFirst("(?s)\\D.*", "");
            sum += number.isEmpty() ? 0 : Integer.parseInt(number);
        }
        return sum;
    }

    @Test
    void askingForTheBacklogReadsNoMessagesAndCountsNoFurtherThanItMust() {
        List<Document> many = new ArrayList<>();
        for (int i = 0; i < 15_000; i++) {
            many.add(new Document("topic", TOPIC)
                    .append("partition", 0)
                    .append("position", new BsonTimestamp(0, 0))
                    .append("payload", new byte[1]));
        }
        messages().insertMany(many);
        outbox.commit(1, "1", "2");
        OutboxCollections collections = OutboxCollections.of(outbox.database, MongoOutbox.DEFAULT_PREFIX);
        String plan = collections
                .messages()
                .aggregate(MongoOperations.counting(
                        List.of(new Partition(TOPIC, 0), new Partition(TOPIC, 1)), new BsonString("outbox_messages")))
                .explain(ExplainVerbosity.EXECUTION_STATS)
                .toJson();
        int documents = sum("totalDocsExamined", plan);
        assertTrue(documents >= 1 && documents <= 10, documents + " documents were read: " + plan);
        int keys = sum("totalKeysExamined", plan);
        assertTrue(keys >= 10_000 && keys <= 10_100, keys + " keys of the index were looked at");
        try (Store store = open()) {
            List<Operations.Backlog> backlog = Operations.of(store).backlog();
            assertEquals(
                    List.of(0, 1),
                    backlog.stream().map(Operations.Backlog::partition).toList());
            assertEquals(
                    List.of(10_000L, 2L),
                    backlog.stream().map(Operations.Backlog::pending).toList());
        }
    }

    @Test
    void aPageReadsNoOtherMessages() {
        List<Document> many = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            many.add(new Document("topic", i % 2 == 0 ? TOPIC : "bills")
                    .append("partition", i / 2 % 5)
                    .append("position", new BsonTimestamp(0, 0))
                    .append("payload", new byte[1]));
        }
        messages().insertMany(many);
        Document middle = messages()
                .find(new Document("topic", TOPIC).append("partition", 2))
                .sort(OutboxCollections.BY_POSITION)
                .skip(1_000)
                .first();
        BsonTimestamp position = middle.get("position", BsonTimestamp.class);
        Place place = new Place(2, position.getTime(), position.getInc());
        for (Bson page : List.of(MongoOperations.inPartition(TOPIC, place), MongoOperations.later(TOPIC, place, 100))) {
            String plan = messages()
                    .find(page)
                    .sort(MessageReader.OLDEST_FIRST)
                    .limit(10)
                    .explain(ExplainVerbosity.EXECUTION_STATS)
                    .toJson();
            assertTrue(plan.contains("IXSCAN") && !plan.contains("\"SORT\""), plan);
            int documents = sum("totalDocsExamined", plan);
            int keys = sum("totalKeysExamined", plan);
            assertTrue(documents == 10 && keys <= 12, documents + " documents, " + keys + " keys: " + plan);
        }
        try (Store store = open()) {
            int listed = 0;
            String next = null;
            do {
                Browsing.Page page = Browsing.of(store).pending(TOPIC, null, next, 1_000);
                listed += page.messages().size();
                next = page.next();
            } while (next != null);
            assertEquals(10_000, listed, "messages on all pages");
        }
    }

    /** They are shown as far as they go, and no page begins with them again. */
    @Test
    void pagesGoPastWhatHandsHaveWritten() {
        messages()
                .insertMany(List.of(
                        new Document("topic", TOPIC).append("partition", 0).append("position", "first"),
                        new Document("topic", TOPIC).append("partition", 0).append("position", new BsonTimestamp(1, 1)),
                        new Document("topic", TOPIC)
                                .append("partition", 1.5)
                                .append("position", new BsonTimestamp(1, 2))));
        outbox.commit(2, "1");
        try (Store store = open()) {
            int listed = 0;
            String next = null;
            do {
                Browsing.Page page = Browsing.of(store).pending(TOPIC, null, next, 1);
                listed += page.messages().size();
                next = page.next();
                assertTrue(listed <= 3, "pages go on and on");
            } while (next != null);
            assertEquals(3, listed, "messages with a position");
        }
    }

    @Test
    void readingAPartitionNeedsNoSort() {
        outbox.commit(0, "1", "2", "3");
        String plan = messages()
                .find(new Document("topic", TOPIC).append("partition", 0))
                .sort(OutboxCollections.BY_POSITION)
                .limit(2)
                .explain()
                .toJson();
        assertTrue(plan.contains("IXSCAN") && !plan.contains("\"SORT\""), plan);
    }

    @Test
    void twoPrefixesAreTwoOutboxes() {
        MongoOutbox.named("b.").createSchema(outbox.database);
        try (ClientSession session = outbox.client.startSession();
                Store one = open();
                Store other = Stores.open(outbox.url, StoreOptions.defaults().withPrefix("b."))) {
            session.withTransaction(() ->
                    MongoOutbox.named("b.").persist(session, outbox.database).persist(message(0, "other")));
            outbox.commit(0, "one");
            assertEquals(List.of("one"), publishAll(one));
            assertEquals(List.of("other"), publishAll(other));
        }
    }

    /** As a process leaves it that is killed between the first statement of a close and its commit. */
    @Test
    void aTransactionThatADeadProcessLeftOpenStopsNobody() throws Exception {
        outbox.commit(0, "1", "2");
        outbox.commit(1, "3");
        try (Store store = open();
                ClientSession dead = outbox.client.startSession()) {
            publishAll(store);
            outbox.commit(0, "4");
            outbox.commit(1, "5");
            MongoCollection<Document> partitionDocuments = outbox.database.getCollection("outbox_partitions");
            partitionDocuments.updateMany(
                    new Document(),
                    Updates.combine(
                            Updates.set("fence", new ObjectId()),
                            Updates.set(
                                    "session",
                                    dead.getServerSession().getIdentifier().get("id")),
                            Updates.set("owner", "1@dead"),
                            Updates.set("leaseUntil", new BsonDateTime(0))));
            dead.startTransaction();
            partitionDocuments.updateMany(dead, new Document(), Updates.unset("fence"));
            messages().deleteMany(dead, new Document());
            long began = System.nanoTime();
            List<String> came = new ArrayList<>();
            while (came.size() < 2) {
                came.addAll(publishAll(store));
            }
            assertEquals(Set.of("4", "5"), Set.copyOf(came));
            // The server's own limit is a minute.
            assertTrue(System.nanoTime() - began < TimeUnit.SECONDS.toNanos(50), "waited for the dead transaction");
            assertThrows(RuntimeException.class, dead::commitTransaction, "the transaction of the dead process");
        }
    }

    @Test
    void aMessageThatVanishesUnderAHoldLeavesTheOthersAlone() {
        List<String> ids = outbox.commit(0, "1", "2");
        try (Store store = open()) {
            MessageBatch batch = store.checkout(Set.of(TOPIC), 10);
            batch.messages().forEach(m -> batch.markPublished(m, null));
            messages().deleteOne(new Document("_id", Ids.stored(ids.get(0))));
            String log = StandardError.during(batch::close);
            assertTrue(log.contains("only 1 were there"), log);
            assertEquals(0, messages().countDocuments(), "what was settled is gone");
            assertEquals(List.of(), publishAll(store));
        }
    }

    /** Else what an operator has deleted would come back. */
    @Test
    void aMessageThatVanishesUnderAMoveIsNotMoved() {
        List<String> ids = outbox.commit(0, "1", "2");
        AtomicBoolean deleted = new AtomicBoolean();
        CommandListener beforeTheClose = new CommandListener() {
            @Override
            public void commandStarted(CommandStartedEvent event) {
                if (event.getCommand().containsKey("startTransaction") && deleted.compareAndSet(false, true)) {
                    messages().deleteOne(new Document("_id", Ids.stored(ids.get(0))));
                }
            }
        };
        MongoClientSettings settings = MongoClientSettings.builder()
                .applyConnectionString(new ConnectionString(outbox.url))
                .addCommandListener(beforeTheClose)
                .build();
        deleted.set(true); // not while the store opens
        try (MongoClient client = MongoClients.create(settings);
                Store store = MongoOutbox.store(client, outbox.name(), StoreOptions.defaults())) {
            deleted.set(false);
            Operations.of(store).movePending(TOPIC, "other", 1, 10);
            assertTrue(deleted.get(), "a transaction that closes the move");
            List<String> left = new ArrayList<>();
            for (Document message : messages().find()) {
                left.add(message.getString("topic") + " "
                        + Ids.shown(message.toBsonDocument().get("_id")));
            }
            assertEquals(List.of("other " + ids.get(1)), left);
        }
    }

    @Test
    void aMessageThatCannotBeReadStopsItsPartitionAlone() {
        outbox.commit(0, "before");
        ObjectId id = new ObjectId();
        messages()
                .insertOne(new Document("_id", id)
                        .append("topic", TOPIC)
                        .append("partition", 0)
                        .append("position", new BsonTimestamp(0, 0))
                        .append("payload", "a text"));
        messages().insertOne(new Document("topic", TOPIC).append("payload", "of no partition"));
        outbox.commit(0, "behind");
        outbox.commit(1, "another", "and one more");
        try (Store store = open()) {
            assertEquals(Set.of("before", "another", "and one more"), Set.copyOf(publishAll(store)));
            try (Store fresh = open()) { // which has set nothing aside
                StoreException error = assertThrows(StoreException.class, () -> fresh.checkout(Set.of(TOPIC), 10));
                assertTrue(error.getMessage().contains(id.toHexString()), error.getMessage());
                assertFalse(outbox.partition(0).containsKey("fence"), "a checkout that failed holds nothing");
                outbox.commit(1, "later");
                assertEquals(List.of("later"), publishAll(fresh));
            }
            messages().deleteOne(new Document("_id", id));
            try (Store fresh = open()) {
                assertEquals(List.of("behind"), publishAll(fresh));
            }
        }
    }

    /** As shells do that know one type of numbers. */
    @Test
    void numbersMayBeOfAnotherType() {
        outbox.commit(0, "1", "2");
        messages().updateMany(new Document(), Updates.set("attempts", 3.0));
        messages().updateMany(new Document(), Updates.set("partition", 0L));
        try (Store store = open()) {
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                assertEquals(List.of("1", "2"), texts(batch));
                assertEquals(3, batch.messages().get(0).attempts());
                batch.markFailed(batch.messages().get(0), "away", Duration.ZERO);
            }
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                assertEquals(4, batch.messages().get(0).attempts());
            }
        }
    }

    /** Or the close would be aborted by whoever finds the lease to be over, again and again. */
    @Test
    void aLargeCloseUnderAShortLeaseTakesItsTime() throws Exception {
        int partitionDocuments = 400;
        for (int partition = 0; partition < partitionDocuments; partition++) {
            outbox.commit(partition, "m");
        }
        StoreOptions shortLease = StoreOptions.defaults()
                .with(MongoOutbox.LEASE, Duration.ofSeconds(1))
                .withWakeUp(false);
        try (Store store = MongoOutbox.store(outbox.client, outbox.name(), shortLease)) {
            eventually("a batch of all that is closed", () -> {
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), partitionDocuments)) {
                    if (batch.messages().size() < partitionDocuments) {
                        return null;
                    }
                    batch.messages().forEach(m -> batch.markFailed(m, "away", Duration.ofHours(1)));
                    outbox.commands.clear();
                } catch (OutboxException e) {
                    return null; // on a busy machine a lease of a second may be over
                }
                return true;
            });
            List<BsonDocument> sent = outbox.commands.sent();
            List<String> close = new ArrayList<>();
            for (BsonDocument command : sent) {
                close.add(command.getFirstKey() + (command.containsKey("autocommit") ? "" : " alone"));
            }
            close.remove("update alone"); // a renewal may have come last
            assertTrue(
                    close.size() >= 3
                            && close.subList(close.size() - 3, close.size())
                                    .equals(List.of("update", "update", "commitTransaction")),
                    "one for the partitions, one for the messages: " + close);
            assertTrue(sent.get(0).toString().contains("leaseUntil"), "it was prolonged: " + sent.get(0));
            assertEquals(
                    partitionDocuments, Operations.of(store).failingPartitions().size());
        }
    }

    @Test
    void aDeadLetterHasADateForATtlIndex() {
        outbox.commit(0, "1");
        try (Store store = open()) {
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.deadLetter(batch.messages().get(0), "unreadable");
            }
            Document letter =
                    outbox.database.getCollection("outbox_dead_letters").find().first();
            assertTrue(letter != null && letter.get("diedAt") instanceof Date, String.valueOf(letter));
        }
    }

    @Test
    void aTransactionThatTheServerHasAbortedSaysSoAndBeginsAgain() {
        int[] tries = {0};
        try (ClientSession session = outbox.client.startSession()) {
            session.withTransaction(() -> {
                PersistFunc persist = MongoOutbox.persist(session, outbox.database);
                persist.persist(message(0, "first"));
                if (++tries[0] == 1) {
                    outbox.client
                            .getDatabase("admin")
                            .runCommand(new Document(
                                    "killSessions",
                                    List.of(session.getServerSession().getIdentifier())));
                    RuntimeException error =
                            assertThrows(RuntimeException.class, () -> persist.persist(message(0, "second")));
                    assertTrue(error.toString().contains("transactionLifetimeLimitSeconds"), error.toString());
                    throw error;
                }
                return persist.persist(message(0, "second"));
            });
        }
        assertEquals(2, tries[0], "times the block was run");
        try (Store store = open()) {
            assertEquals(List.of("first", "second"), publishAll(store));
        }
    }

    @Test
    void aPausedHoldIsNotTrustedForAsLongAsTheServerKeepsIt() throws Exception {
        outbox.commit(0, "1");
        try (Store store =
                Stores.open(outbox.url, StoreOptions.defaults().with(MongoOutbox.LEASE, Duration.ofSeconds(1)))) {
            MessageBatch batch = eventually("a batch that is held", () -> MongoFaultTest.held(store));
            batch.markPublished(batch.messages().get(0), null);
            // Somebody else has it: the next renewal notices.
            outbox.database
                    .getCollection("outbox_partitions")
                    .updateMany(new Document(), Updates.set("fence", new ObjectId()));
            eventually("isHeld is false", () -> batch.isHeld() ? null : true);
            HoldLostException lost = assertThrows(HoldLostException.class, batch::close);
            assertTrue(lost.getMessage().contains("lease"), lost.getMessage());
            assertEquals(1, messages().countDocuments(), "nothing of the batch took effect");
        }
    }

    @Test
    void whatWasReadIsOfOneMoment() {
        // As many partitions as need several statements to be taken and read.
        for (int partition = 0; partition < 120; partition++) {
            outbox.commit(partition, "a" + partition, "b" + partition);
        }
        try (Store store = MongoOutbox.store(outbox.client, outbox.name(), AN_HOUR)) {
            outbox.commands.clear();
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 1_000)) {
                assertEquals(240, texts(batch).size());
            }
            Set<Object> times = outbox.commands.sent().stream()
                    .filter(c -> c.containsKey("readConcern"))
                    .map(c -> c.getDocument("readConcern"))
                    .filter(c -> c.containsKey("atClusterTime"))
                    .map(c -> (Object) c.get("atClusterTime"))
                    .collect(Collectors.toSet());
            assertEquals(1, times.size(), "times that were read as of: " + times);
            assertEquals(
                    2,
                    outbox.commands.names().stream().filter("update"::equals).count(),
                    "one claim of all, and one release: " + outbox.commands.names());
        }
    }
}
