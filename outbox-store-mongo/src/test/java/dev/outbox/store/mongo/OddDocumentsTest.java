package dev.outbox.store.mongo;

import static dev.outbox.store.mongo.TestOutbox.TOPIC;
import static dev.outbox.store.mongo.TestOutbox.eventually;
import static dev.outbox.store.mongo.TestOutbox.publishAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoCollection;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.servers.MongoServer;
import dev.outbox.servers.StandardError;
import dev.outbox.store.support.LeaseClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.bson.BsonTimestamp;
import org.bson.Document;
import org.bson.types.ObjectId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Documents that hands have written: what is wrong with them is shown, and everything else goes on. */
@Tag("mongo")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class OddDocumentsTest {
    private final TestOutbox outbox = new TestOutbox(MongoServer.shared());
    private final MongoCollection<Document> messages = outbox.database.getCollection("outbox_messages");
    private final MongoCollection<Document> partitionDocuments = outbox.database.getCollection("outbox_partitions");

    @AfterEach
    void drop() {
        outbox.close();
    }

    private Store open() {
        return MongoOutbox.store(outbox.client, outbox.name(), StoreOptions.defaults());
    }

    /** All that can be had, within a few checkouts, some of which may fail. */
    private static Set<String> drain(Store store) {
        Set<String> came = new HashSet<>();
        for (int i = 0; i < 4; i++) {
            try {
                came.addAll(publishAll(store));
            } catch (StoreException e) {
                assertTrue(e.getMessage().contains("stops its partition"), e.getMessage());
            }
        }
        return came;
    }

    private static List<Operations.FailingPartition> failing(Store store) {
        return Operations.of(store).failingPartitions();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "payload: 'text'",
                "payload: null",
                "position: 5",
                "position: null",
                "headers: {a: 'b'}",
                "headers: ['a']",
                "headers: ['a', 1]",
                "headers: 'none'",
                "key: 5",
                "attempts: 'three'",
                "created: 'yesterday'",
                "topic: ['orders', 'bills']"
            })
    void aMessageThatCannotBeReadStopsItsPartitionAloneAndIsShown(String change) throws Exception {
        outbox.commit(1, "well");
        outbox.commit(2, "well too");
        outbox.commit(0, "odd", "behind");
        Object id = id(0, 0);
        messages.updateOne(new Document("_id", id), new Document("$set", Document.parse("{" + change + "}")));
        try (Store store = open()) {
            assertEquals(Set.of("well", "well too"), drain(store));
            List<Operations.FailingPartition> failing = failing(store);
            assertEquals(1, failing.size(), failing.toString());
            assertEquals(0, failing.get(0).partition());
            assertTrue(failing.get(0).reason().contains("correct or delete it"), failing.toString());
            Operations.of(store).backlog();
            outbox.commit(1, "later");
            assertEquals(Set.of("later"), drain(store));
        }
        messages.deleteOne(new Document("_id", id));
        try (Store store = open()) {
            assertEquals(Set.of("behind"), drain(store));
            assertEquals(List.of(), failing(store));
        }
    }

    /** The id of one of the messages of a partition, by its place. */
    private Object id(int partition, int place) {
        return Objects.requireNonNull(messages.find(new Document("partition", partition))
                .sort(new Document("position", 1))
                .into(new ArrayList<>())
                .get(place)
                .get("_id"));
    }

    @Test
    void twoOfOnePositionStopTheirPartitionAlone() {
        outbox.commit(0, "1", "2", "3");
        outbox.commit(1, "well");
        Object second = id(0, 1);
        Document first = messages.find(new Document("_id", id(0, 0)))
                .into(new ArrayList<>())
                .get(0);
        messages.updateOne(
                new Document("_id", second), new Document("$set", new Document("position", first.get("position"))));
        try (Store store = open()) {
            Set<String> came = drain(store);
            assertTrue(came.contains("well"), came.toString());
            assertFalse(came.contains("3"), came.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-1",
                "1.5",
                "NaN",
                "Infinity",
                "'one'",
                "null",
                "[0, 1]",
                "99999999999",
                "{$numberDecimal: 'NaN'}"
            })
    void aPartitionThatIsNoneIsShown(String partition) {
        outbox.commit(3, "well");
        messages.insertOne(Document.parse("{partition: " + partition + "}")
                .append("_id", new ObjectId())
                .append("topic", TOPIC)
                .append("position", new BsonTimestamp(0, 0))
                .append("payload", new byte[1]));
        try (Store store = open()) {
            assertEquals(Set.of("well"), drain(store));
            List<Operations.FailingPartition> failing = failing(store);
            assertEquals(1, failing.size(), failing.toString());
            assertTrue(failing.get(0).reason().contains("whole number"), failing.toString());
            Operations.of(store).backlog();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "failing: 'x'",
                "failing: {}",
                "failing: {id: 5, position: 'first', reason: 7}",
                "retryAt: 'tomorrow'",
                "retryAt: 1e300",
                "fence: 'mine'",
                "fence: 'mine', session: 5, leaseUntil: 'tomorrow'",
                "fence: 'mine', owner: 5, leaseUntil: {$timestamp: {t: 4000000000, i: 1}}",
                "topic: 5, partition: 'none'",
                "problem: 5"
            })
    void aStrangeDocumentOfAPartitionIsPutRight(String change) throws Exception {
        outbox.commit(0, "first");
        outbox.commit(1, "another");
        try (Store store = open()) {
            drain(store);
            partitionDocuments.updateOne(
                    new Document("_id", TOPIC + "/0"), new Document("$set", Document.parse("{" + change + "}")));
            failing(store);
            outbox.commit(0, "1", "2");
            outbox.commit(1, "3");
            Set<String> came = new HashSet<>();
            eventually("all that was committed", () -> {
                came.addAll(drain(store));
                return came.equals(Set.of("1", "2", "3")) ? true : null;
            });
            assertEquals(List.of(), failing(store));
        }
    }

    @Test
    void deadLettersThatCannotBeReadHideNoOthers() {
        outbox.commit(0, "1", "2", "3", "4");
        try (Store store = open()) {
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.messages().forEach(m -> batch.deadLetter(m, "poison"));
            }
            MongoCollection<Document> letters = outbox.database.getCollection("outbox_dead_letters");
            List<Document> all = letters.find().sort(new Document("died", 1)).into(new ArrayList<>());
            letters.updateOne(
                    new Document("_id", all.get(0).get("_id")), new Document("$set", new Document("reason", 5)));
            letters.updateOne(
                    new Document("_id", all.get(2).get("_id")), new Document("$unset", new Document("payload", 1)));
            List<String> texts = Operations.of(store).deadLetters(TOPIC, null, 2).stream()
                    .map(letter -> TestOutbox.text(letter.message()))
                    .toList();
            assertEquals(List.of("2", "4"), texts);
        }
    }

    /** Its message was restored by hand. It keeps neither others from coming again, nor a batch from being closed. */
    @Test
    void aDeadLetterWhoseMessageIsThereStaysUntilThatDies() {
        List<String> ids = outbox.commit(0, "1", "2");
        Document restored = Objects.requireNonNull(
                messages.find().sort(new Document("position", 1)).first());
        try (Store store = open()) {
            Operations operations = Operations.of(store);
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.messages().forEach(m -> batch.deadLetter(m, "before"));
            }
            messages.insertOne(restored);
            assertEquals(1, operations.redrive(ids));
            assertEquals(
                    List.of("1"),
                    operations.deadLetters(TOPIC, null, 10).stream()
                            .map(letter -> TestOutbox.text(letter.message()))
                            .toList());
            String warned = StandardError.during(() -> {
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                    assertEquals(List.of("1", "2"), TestOutbox.texts(batch));
                    batch.messages().forEach(m -> batch.deadLetter(m, "after"));
                }
            });
            assertTrue(warned.contains("1 older dead letters had the ids"), warned);
            assertEquals(2, operations.redrive(ids));
            assertEquals(List.of("1", "2"), publishAll(store));
        }
    }

    /** What a caller was told it may not rely on is not relied on because of an answer that comes late. */
    @Test
    void aHoldThatWasDoubtedIsNotTrustedAgain() {
        Hold hold = new Hold(List.of(new Partition(TOPIC, 0)), Duration.ofNanos(-1));
        assertFalse(hold.isTrusted());
        long hour = Duration.ofHours(1).toMillis();
        hold.renewed(
                new LeaseClock(System.nanoTime() + Duration.ofHours(1).toNanos(), System.currentTimeMillis() + hour));
        assertFalse(hold.trustLeft().isNegative());
        assertFalse(hold.isTrusted());
    }

    @Test
    void numbersThatAreNoneCountAsNone() {
        outbox.commit(0, "1");
        for (Object attempts : List.of(Double.NaN, -5, 2.0)) {
            messages.updateMany(new Document(), new Document("$set", new Document("attempts", attempts)));
            try (Store store = open();
                    MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                assertTrue(batch.messages().get(0).attempts() >= 0);
            }
        }
        try (Store store = open()) {
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.markFailed(batch.messages().get(0), "away", Duration.ZERO);
            }
            assertEquals(1, failing(store).size());
        }
    }
}
