package dev.outbox.store.mongo;

import static dev.outbox.store.mongo.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.model.Updates;
import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.servers.MongoServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import org.bson.BsonDateTime;
import org.bson.BsonTimestamp;
import org.bson.Document;
import org.bson.types.ObjectId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * However many partitions there are and whatever the limit: a checkout ends soon, fills its batch, and everybody has a
 * turn.
 */
@Tag("mongo")
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ManyPartitionsTest {
    private static final BsonDateTime FAR_AWAY = new BsonDateTime(4_000_000_000_000L);
    private static final int MOST = Checkout.MOST_PARTITIONS;

    private final TestOutbox outbox = new TestOutbox(MongoServer.shared());

    @AfterEach
    void drop() {
        outbox.close();
    }

    private Store open() {
        return MongoOutbox.store(
                outbox.client, outbox.name(), StoreOptions.defaults().with(MongoOutbox.LEASE, Duration.ofHours(1)));
    }

    /** So many messages in each of the partitions from one to before another. */
    private void write(int from, int to, IntUnaryOperator messages) {
        List<Document> documents = new ArrayList<>();
        for (int partition = from; partition < to; partition++) {
            for (int i = messages.applyAsInt(partition); i > 0; i--) {
                documents.add(new Document("topic", TOPIC)
                        .append("partition", partition)
                        .append("position", new BsonTimestamp(0, 0))
                        .append("payload", new byte[1]));
            }
        }
        outbox.database.getCollection("outbox_messages").insertMany(documents);
    }

    /** Checks out, and checks that this was done with few commands. */
    private MessageBatch checkout(Store store, int partitionDocuments, int limit) {
        outbox.commands.clear();
        MessageBatch batch = store.checkout(Set.of(TOPIC), limit);
        List<String> sent = outbox.commands.names();
        int most = 10 + 2 * (log(partitionDocuments) + log(limit));
        assertTrue(
                sent.size() <= most,
                sent.size() + " commands, at most " + most + " expected, for a batch of "
                        + batch.messages().size() + " with limit " + limit + " of " + partitionDocuments
                        + " partitions: "
                        + sent);
        return batch;
    }

    private static int log(int n) {
        return Integer.SIZE - Integer.numberOfLeadingZeros(n);
    }

    private static Map<Integer, Integer> perPartition(MessageBatch batch) {
        Map<Integer, Integer> counts = new HashMap<>();
        batch.messages().forEach(m -> counts.merge(m.partition(), 1, Integer::sum));
        return counts;
    }

    /** One partition more each time, and one message in each, around the sizes at which all have a place. */
    @Test
    void aMessageInEachOfAFewHundred() {
        try (Store store = open()) {
            int written = 0;
            for (int n = 1; n <= 260; n++) {
                if (n > 20 && n % 10 != 0 && !(n > 97 && n < 103) && !(n > 167 && n < 200)) {
                    continue;
                }
                write(written, n, p -> 1);
                written = n;
                if (n % 20 == 0 || Math.abs(n - 100) <= 2) {
                    try (Store fresh = open();
                            MessageBatch first = checkout(fresh, n, 100)) {
                        assertEquals(Math.min(n, 100), first.messages().size(), n + " partitions");
                    }
                }
                try (MessageBatch again = checkout(store, n, 100)) {
                    assertEquals(Math.min(n, 100), again.messages().size(), n + " partitions, some of them known");
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 99, 100, 101, 499, 500, 501, 1050, 10_000})
    void anyLimit(int n) {
        write(0, n, p -> p % 7 == 3 ? 5 : 1);
        int pending = (int) outbox.database.getCollection("outbox_messages").countDocuments();
        try (Store store = open()) {
            for (int limit : new int[] {1, 2, 3, 7, n - 1, n, n + 1, 100, 101, 500, 501, 1000, 2000}) {
                if (limit < 1 || limit > 2_000) {
                    continue;
                }
                for (int round = 0; round < 2; round++) {
                    try (MessageBatch batch = checkout(store, n, limit)) {
                        int held = perPartition(batch).size();
                        assertTrue(
                                batch.messages().size() == Math.min(limit, pending) || held == MOST,
                                batch.messages().size() + " messages with limit " + limit + " of " + pending + " in "
                                        + n + " partitions");
                    }
                }
            }
        }
    }

    /** Sizes of all kinds: those that have less leave room to those that have more. */
    @Test
    void unequalPartitions() {
        write(0, 64, p -> p % 10 == 0 ? 200 : p % 9);
        int pending = (int) outbox.database.getCollection("outbox_messages").countDocuments();
        for (int limit = 1; limit <= 2_000; limit += 1 + limit / 3) {
            try (Store store = open();
                    MessageBatch batch = checkout(store, 64, limit)) {
                assertEquals(Math.min(limit, pending), batch.messages().size());
            }
        }
    }

    @Test
    void moreThanABatchHoldsAreAllServedInTurn() {
        int n = 600;
        write(0, n, p -> 20);
        try (Store store = open()) {
            Set<Integer> served = new HashSet<>();
            for (int round = 0; round < 2; round++) {
                try (MessageBatch batch = checkout(store, n, 1_000)) {
                    assertEquals(1_000, batch.messages().size());
                    batch.messages().forEach(m -> served.add(m.partition()));
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                }
            }
            assertEquals(n, served.size(), "partitions that were served in two rounds");
        }
    }

    @Test
    void tenThousandAreWorkedOff() {
        int n = 10_000;
        write(0, n, p -> 1);
        try (Store store = open()) {
            Set<String> came = new HashSet<>();
            int batches = 0;
            while (came.size() < n) {
                try (MessageBatch batch = checkout(store, n, 2_000)) {
                    for (PersistedMessage m : batch.messages()) {
                        assertTrue(came.add(m.id()), "came twice");
                        batch.markPublished(m, null);
                    }
                }
                assertTrue(++batches <= n / MOST + 5, batches + " batches for " + came.size() + " messages");
            }
        }
    }

    /** Others hold, or have failed in, all that is known but for one, and it is found. */
    @ParameterizedTest
    @ValueSource(strings = {"held", "delayed", "empty", "gone"})
    void whatIsKnownIsOutOfDate(String how) {
        int n = 2_000;
        int last = n - 1;
        write(0, n, p -> 1);
        var partitionDocuments = outbox.database.getCollection("outbox_partitions");
        var messages = outbox.database.getCollection("outbox_messages");
        Document others = new Document("partition", new Document("$ne", last));
        for (int limit : new int[] {1, 100, 2_000}) {
            try (Store store = open()) {
                checkout(store, n, limit).close();
                switch (how) {
                    case "held" ->
                        partitionDocuments.updateMany(
                                others,
                                Updates.combine(
                                        Updates.set("fence", new ObjectId()), Updates.set("leaseUntil", FAR_AWAY)));
                    case "delayed" -> partitionDocuments.updateMany(others, Updates.set("retryAt", FAR_AWAY));
                    case "empty" -> messages.deleteMany(others);
                    default -> {
                        messages.deleteMany(others);
                        partitionDocuments.deleteMany(others);
                    }
                }
                try (MessageBatch batch = checkout(store, n, limit)) {
                    assertEquals(Set.of(last), perPartition(batch).keySet(), "limit " + limit);
                }
            }
            partitionDocuments.drop();
            messages.deleteMany(others);
            MongoOutbox.createSchema(outbox.database);
            write(0, last, p -> 1);
        }
    }

    /** Half of them are another's. */
    @Test
    void inCompany() {
        int n = 800;
        write(0, n, p -> 2);
        try (Store one = open();
                Store two = open();
                MessageBatch theirs = checkout(one, n, 400)) {
            int left = n - perPartition(theirs).size();
            for (int limit : new int[] {1, 10, 100, 2_000}) {
                try (MessageBatch batch = checkout(two, n, limit)) {
                    assertEquals(
                            Math.min(limit, 2 * Math.min(left, MOST)),
                            batch.messages().size(),
                            "limit " + limit);
                    Set<Integer> both = new HashSet<>(perPartition(batch).keySet());
                    both.retainAll(perPartition(theirs).keySet());
                    assertEquals(Set.of(), both);
                }
            }
        }
    }
}
