package dev.outbox.store.mongo;

import static dev.outbox.store.mongo.TestOutbox.TOPIC;
import static dev.outbox.store.mongo.TestOutbox.eventually;
import static dev.outbox.store.mongo.TestOutbox.publishAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.model.Updates;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.servers.MongoServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.bson.BsonDateTime;
import org.bson.Document;
import org.bson.types.ObjectId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A relay dies, or sleeps, between two statements of a close, and what it held is soon somebody else's. */
@Tag("mongo")
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DeadInCloseTest {
    private static final int LEASE_MILLIS = 1_000;
    /** Far less than the minute that MongoDB leaves a transaction of a dead process. */
    private static final long MARGIN_MILLIS = 40_000;

    /** On a busy machine the lease was over before the close had begun. */
    private static final String TOO_SLOW = "too slow";

    private static final StoreOptions SHORT =
            StoreOptions.defaults().with(MongoOutbox.LEASE, Duration.ofMillis(LEASE_MILLIS));
    private static final StoreOptions LONG = StoreOptions.defaults().with(MongoOutbox.LEASE, Duration.ofMinutes(10));

    private final TestOutbox outbox = new TestOutbox(MongoServer.shared());

    @AfterEach
    void drop() {
        outbox.close();
    }

    /** What the dying relay has done with what it had. */
    enum Outcome {
        PUBLISHED,
        FAILED,
        DEAD;

        void mark(MessageBatch batch, PersistedMessage message) {
            switch (this) {
                case PUBLISHED -> batch.markPublished(message, null);
                case FAILED -> batch.markFailed(message, "away", Duration.ZERO);
                case DEAD -> batch.deadLetter(message, "poison");
            }
        }
    }

    /** One message has failed before; the relay stops before each of the close's commands in turn. */
    @ParameterizedTest
    @EnumSource(Outcome.class)
    void othersGoOnWhenItsLeaseIsOver(Outcome outcome) throws Exception {
        stopEverywhere(outcome, false);
    }

    /** The same with a partition beside it in which nothing has failed. */
    @ParameterizedTest
    @EnumSource(Outcome.class)
    void othersGoOnWithBothPartitions(Outcome outcome) throws Exception {
        stopEverywhere(outcome, true);
    }

    private void stopEverywhere(Outcome outcome, boolean both) throws Exception {
        try (Store other = MongoOutbox.store(outbox.client, outbox.name(), SHORT)) {
            int stop = 0;
            for (boolean goesOn = true; goesOn; ) {
                outbox.commit(0, "failed before", "behind it");
                if (both) {
                    outbox.commit(1, "well");
                }
                while (!failTheFirst(other)) {
                    // On a busy machine a lease of a second may be over.
                }
                String end = endOfAClose(other, outcome, stop, both ? 3 : 2);
                goesOn = !end.equals("closed");
                stop += end.equals(TOO_SLOW) ? 0 : 1;
            }
            assertTrue(stop > 2, "commands of a close: " + (stop - 1));
        }
    }

    /** On a busy machine a checkout may take longer than a short lease, and says so. */
    private static MessageBatch checkout(Store store) {
        while (true) {
            try {
                return store.checkout(Set.of(TOPIC), 10);
            } catch (StoreException e) {
                if (!String.valueOf(e.getMessage()).contains("took so long that its lease may be over")) {
                    throw e;
                }
            }
        }
    }

    private static boolean failTheFirst(Store store) {
        try (MessageBatch batch = checkout(store)) {
            batch.messages().stream()
                    .filter(m -> m.partition() == 0)
                    .limit(1)
                    .forEach(m -> batch.markFailed(m, "away", Duration.ZERO));
        } catch (HoldLostException e) {
            return false;
        }
        return true;
    }

    /** Checks out once, settles all as published, and returns the texts; none if the lease was over before the close. */
    private static List<String> publishWhatComes(Store store) {
        List<String> texts;
        try (MessageBatch batch = checkout(store)) {
            batch.messages().forEach(m -> batch.markPublished(m, null));
            texts = TestOutbox.texts(batch);
        } catch (HoldLostException e) {
            return List.of();
        }
        return texts;
    }

    /** How the close ended, before a command of which it was stopped if it has that many. */
    private String endOfAClose(Store other, Outcome outcome, int stop, int messages) throws Exception {
        Stops stops = new Stops();
        AtomicInteger commands = new AtomicInteger();
        try (MongoClient client = stops.client(outbox.url);
                Store dying = MongoOutbox.store(client, outbox.name(), SHORT)) {
            MessageBatch batch = eventually("a batch of all", () -> {
                MessageBatch got = checkout(dying);
                if (got.messages().size() == messages) {
                    return got;
                }
                got.close();
                return null;
            });
            batch.messages().forEach(m -> {
                if (m.partition() == 0) {
                    outcome.mark(batch, m);
                } else {
                    batch.markPublished(m, null);
                }
            });
            stops.at(event -> Thread.currentThread().getName().equals("dying") && commands.getAndIncrement() == stop);
            CompletableFuture<String> end = new CompletableFuture<>();
            Thread thread = new Thread(
                    () -> {
                        try {
                            batch.close();
                            end.complete("closed");
                        } catch (HoldLostException e) {
                            end.complete("lost");
                        } catch (OutboxException e) {
                            end.complete(e.toString());
                        }
                    },
                    "dying");
            thread.start();
            boolean stopped = eventually(
                    "it stops, or closes",
                    () -> stops.awaitStop(5) ? Boolean.TRUE : end.isDone() ? Boolean.FALSE : null);
            long since = System.nanoTime();
            Set<String> came = new HashSet<>();
            if (stopped) {
                while (came.size() < messages) {
                    came.addAll(publishWhatComes(other));
                    long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since);
                    assertTrue(
                            took < LEASE_MILLIS + MARGIN_MILLIS,
                            "stopped before command " + stop + " of the close, and after " + took + " ms only " + came);
                }
            }
            stops.goOn();
            String told = end.get(1, TimeUnit.MINUTES);
            boolean tooSlow = !stopped && told.equals("lost");
            assertTrue(
                    tooSlow || told.equals(stopped ? "lost" : "closed"),
                    () -> told + ", and stopped before command " + stop + ": " + stopped);
            eventually(
                    "nothing is left",
                    () -> publishWhatComes(other).isEmpty()
                                    && outbox.database
                                                    .getCollection("outbox_messages")
                                                    .countDocuments()
                                            == 0
                            ? true
                            : null);
            return tooSlow ? TOO_SLOW : told;
        }
    }

    /** Many find the same lease to be over and free it together: nothing was open, so nothing is killed. */
    @Test
    void theLivingAreNotKilled() throws Exception {
        try (Store one = MongoOutbox.store(outbox.client, outbox.name(), LONG);
                Store two = MongoOutbox.store(outbox.client, outbox.name(), LONG)) {
            CyclicBarrier together = new CyclicBarrier(2);
            outbox.commit(0, "first");
            publishAll(one);
            for (int round = 0; round < 20; round++) {
                outbox.commit(0, "m" + round);
                outbox.database
                        .getCollection("outbox_partitions")
                        .updateMany(
                                new Document(),
                                Updates.combine(
                                        Updates.set("fence", new ObjectId()),
                                        Updates.set("session", new Document("id", 1)),
                                        Updates.set("leaseUntil", new BsonDateTime(0))));
                List<CompletableFuture<List<String>>> both = new ArrayList<>();
                for (Store store : List.of(one, two)) {
                    both.add(CompletableFuture.supplyAsync(() -> {
                        try {
                            together.await();
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                        return publishAll(store);
                    }));
                }
                List<String> came = new ArrayList<>();
                for (CompletableFuture<List<String>> each : both) {
                    came.addAll(each.get());
                }
                while (came.isEmpty()) {
                    came.addAll(publishAll(one));
                }
                assertEquals(List.of("m" + round), came);
            }
            assertFalse(outbox.commands.names().contains("killSessions"));
        }
    }

    /** As when the heap is full, in the middle of a close. */
    @Test
    void whatFailsBeforeTheCommitIsFreeAtOnce() {
        outbox.commit(0, "1");
        Stops stops = new Stops();
        stops.at(event -> {
            if (event.getCommandName().equals("bulkWrite")) {
                throw new OutOfMemoryError("by the test");
            }
            return false;
        });
        try (MongoClient client = stops.client(outbox.url);
                Store store = MongoOutbox.store(client, outbox.name(), LONG);
                Store other = MongoOutbox.store(outbox.client, outbox.name(), LONG)) {
            MessageBatch batch = store.checkout(Set.of(TOPIC), 10);
            batch.markPublished(batch.messages().get(0), null);
            assertThrows(OutOfMemoryError.class, batch::close);
            stops.goOn();
            assertEquals(List.of("1"), publishAll(other));
        }
    }

    @Test
    void closingAStoreWaitsForACloseThatHasBegun() throws Exception {
        outbox.commit(0, "1");
        Stops stops = new Stops();
        try (MongoClient client = stops.client(outbox.url)) {
            Store store = MongoOutbox.store(client, outbox.name(), LONG);
            MessageBatch batch = store.checkout(Set.of(TOPIC), 10);
            batch.markPublished(batch.messages().get(0), null);
            stops.at(event -> event.getCommandName().equals("commitTransaction"));
            CompletableFuture<Void> closing = CompletableFuture.runAsync(batch::close);
            assertTrue(stops.awaitStop(60_000), "the close has begun");
            CompletableFuture<Void> closingStore = CompletableFuture.runAsync(store::close);
            boolean early = false;
            try {
                closingStore.get(200, TimeUnit.MILLISECONDS);
                early = true;
            } catch (TimeoutException e) {
                // as it should be
            }
            stops.goOn();
            closing.get(1, TimeUnit.MINUTES);
            closingStore.get(1, TimeUnit.MINUTES);
            assertFalse(early, "the store was closed before its batch");
            assertEquals(0, outbox.database.getCollection("outbox_messages").countDocuments());
        }
    }

    @Test
    void manyLargeMessagesDieInBatchesThatFit() {
        byte[] large = new byte[2 << 20];
        for (int i = 0; i < 30; i++) {
            try (ClientSession session = outbox.client.startSession()) {
                session.withTransaction(() -> MongoOutbox.persist(session, outbox.database)
                        .persist(new OutgoingMessage(TOPIC, 0, null, Map.of(), large)));
            }
        }
        outbox.commit(1, "small");
        try (Store store = MongoOutbox.store(outbox.client, outbox.name(), LONG)) {
            Set<Integer> first = new HashSet<>();
            int died = 0;
            for (int batches = 0; died < 31; batches++) {
                assertTrue(batches < 6, "batches for 31 messages");
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 100)) {
                    long bytes = batch.messages().stream()
                            .mapToLong(m -> m.payload().length)
                            .sum();
                    assertTrue(bytes <= ByteBudget.BYTES + large.length, bytes + " bytes in a batch");
                    batch.messages().forEach(m -> batch.deadLetter(m, "poison"));
                    died += batch.messages().size();
                    if (batches < 2) {
                        batch.messages().forEach(m -> first.add(m.partition()));
                    }
                }
            }
            assertEquals(Set.of(0, 1), first, "partitions that had a turn in the first two batches");
        }
    }
}
