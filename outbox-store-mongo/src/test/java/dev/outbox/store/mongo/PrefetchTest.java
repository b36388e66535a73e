package dev.outbox.store.mongo;

import static dev.outbox.store.mongo.TestOutbox.TOPIC;
import static dev.outbox.store.mongo.TestOutbox.eventually;
import static dev.outbox.store.mongo.TestOutbox.texts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.model.Updates;
import com.mongodb.event.CommandListener;
import com.mongodb.event.CommandStartedEvent;
import com.mongodb.event.CommandSucceededEvent;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.servers.MongoServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.bson.Document;
import org.bson.types.ObjectId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Behind full batches the next claim goes with the close; and nobody is worse off. */
@Tag("mongo")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PrefetchTest {
    private static final int LIMIT = 10;
    private static final List<String> FOLLOWING = List.of("find", "bulkWrite", "commitTransaction");

    /** An hour, so that nothing comes back because a lease is over. */
    private static final StoreOptions OPTIONS = StoreOptions.defaults().with(MongoOutbox.LEASE, Duration.ofHours(1));

    private final TestOutbox outbox = new TestOutbox(MongoServer.shared());
    private int next;

    @AfterEach
    void drop() {
        outbox.close();
    }

    private Store open() {
        return MongoOutbox.store(outbox.client, outbox.name(), OPTIONS);
    }

    private List<String> commit(int partition, int messages) {
        List<String> texts = IntStream.range(next, next + messages)
                .mapToObj(Integer::toString)
                .toList();
        next += messages;
        outbox.commitTogether(partition, texts);
        return texts;
    }

    private static List<String> publish(Store store, int limit) {
        try (MessageBatch batch = store.checkout(Set.of(TOPIC), limit)) {
            batch.messages().forEach(m -> batch.markPublished(m, null));
            return texts(batch);
        }
    }

    /** Whether a close has taken the partition anew. */
    private boolean wasFollowed() {
        return outbox.commands.sent().stream()
                .anyMatch(c -> c.containsKey("bulkWrite") && c.toString().contains("$$NOW"));
    }

    /** Publishes full batches until the close of one has taken the partition anew; returns all that came. */
    private List<String> publishUntilOneFollows(Store store) {
        List<String> came = new ArrayList<>();
        do {
            outbox.commands.clear();
            List<String> batch = publish(store, LIMIT);
            assertEquals(LIMIT, batch.size(), "no batch was followed, after " + came);
            came.addAll(batch);
        } while (!wasFollowed());
        return came;
    }

    @Test
    void aFullBatchIsThreeCommands() {
        try (Store store = open()) {
            int followed = 0;
            for (int round = 1; followed <= 50; round++) { // a busy machine may come too late for what is taken ahead
                assertTrue(round < 10, "in each round of 200 batches, so few had no claim of their own: " + followed);
                List<String> all = commit(0, 2_000);
                List<String> came = new ArrayList<>();
                followed = 0;
                while (came.size() < all.size()) {
                    outbox.commands.clear();
                    came.addAll(publish(store, LIMIT));
                    followed += outbox.commands.names().equals(FOLLOWING) ? 1 : 0;
                }
                assertEquals(all, came);
            }
        }
    }

    /**
     * Those that have less than their share of a batch leave room to the others, and are held by no batch that has none
     * of them.
     */
    @Test
    void unequalPartitionsFollowToo() {
        try (Store store = open();
                Store other = open()) {
            int followed = 0;
            for (int round = 1; followed <= 50; round++) {
                assertTrue(round < 10, "in each round of 200 batches, so few had no claim of their own: " + followed);
                followed = publishUnequalPartitions(store);
            }
            assertEquals(List.of(), publish(other, LIMIT));
        }
    }

    /** Returns how many of 200 batches had no claim of their own. */
    private int publishUnequalPartitions(Store store) {
        List<List<String>> all = List.of(commit(0, 150), commit(1, 400), commit(2, 1_450));
        List<List<String>> came = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        int followed = 0;
        int left = 2_000;
        while (left > 0) {
            outbox.commands.clear();
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), LIMIT)) {
                left -= batch.messages().size();
                batch.messages().forEach(m -> came.get(m.partition()).add(TestOutbox.text(m)));
                batch.messages().forEach(m -> batch.markPublished(m, null));
            }
            followed += outbox.commands.names().contains("commitTransaction")
                            && outbox.commands.names().stream()
                                    .noneMatch(name -> name.equals("findAndModify") || name.equals("update"))
                    ? 1
                    : 0;
        }
        assertEquals(all, came);
        return followed;
    }

    @Test
    void whatIsNotFetchedIsGivenBack() throws Exception {
        List<String> all = commit(0, 1_000);
        try (Store one = open();
                Store two = open()) {
            List<String> came = publishUntilOneFollows(one);
            List<String> rest = eventually("the rest, at another relay", () -> {
                List<String> got = publish(two, 1_000);
                return got.isEmpty() ? null : got;
            });
            came.addAll(rest);
            assertEquals(all, came);
        }
    }

    /** As when the heap is full just then. It costs a lease, and what is taken ahead later is given back in time again. */
    @Test
    void anErrorWhileItIsGivenBackCostsALeaseAtMost() throws Exception {
        AtomicInteger givenBack = new AtomicInteger();
        CommandListener full = new CommandListener() {
            @Override
            public void commandStarted(CommandStartedEvent event) {
                if (Thread.currentThread().getName().equals("outbox-mongo-following")
                        && givenBack.incrementAndGet() == 1) {
                    throw new OutOfMemoryError("by the test");
                }
            }
        };
        commit(0, 2_000);
        StoreOptions aSecond = StoreOptions.defaults().with(MongoOutbox.LEASE, Duration.ofSeconds(1));
        try (MongoClient client = MongoClients.create(MongoClientSettings.builder()
                        .applyConnectionString(new ConnectionString(outbox.url))
                        .addCommandListener(outbox.commands)
                        .addCommandListener(full)
                        .build());
                Store one = MongoOutbox.store(client, outbox.name(), aSecond);
                Store two = open()) {
            for (int round = 1; round <= 2; round++) {
                int before = givenBack.get();
                eventually("a batch that is followed", () -> {
                    outbox.commands.clear();
                    try {
                        publish(one, LIMIT);
                    } catch (OutboxException e) {
                        return null; // on a busy machine a lease of a second may be over
                    }
                    return wasFollowed() ? true : null;
                });
                eventually("the watch to give it back", () -> givenBack.get() > before ? true : null);
                eventually("a batch at another relay", () -> publish(two, LIMIT).isEmpty() ? null : true);
            }
        }
    }

    @Test
    void aStoreThatIsClosedGivesItBackAtOnce() {
        List<String> all = commit(0, 1_000);
        try (Store two = open()) {
            List<String> came = new ArrayList<>();
            try (Store one = open()) {
                came.addAll(publishUntilOneFollows(one));
            }
            came.addAll(publish(two, 1_000));
            assertEquals(all, came);
        }
    }

    /** A checkout has all that was committed before it was called, also if the claim is older (OBX-TX-3). */
    @Test
    void whatWasCommittedMeanwhileIsThere() {
        try (Store store = open()) {
            for (int round = 0; round < 10; round++) {
                List<String> all = new ArrayList<>(commit(0, 6 * LIMIT + 4));
                List<String> came = new ArrayList<>();
                for (int i = 0; i < 6; i++) {
                    came.addAll(publish(store, LIMIT));
                }
                all.addAll(commit(0, 3));
                List<String> others = commit(1, 2);
                came.addAll(publish(store, LIMIT)); // of either partition first, as turns have it
                assertEquals(
                        all,
                        came.stream().filter(text -> !others.contains(text)).toList());
                assertEquals(others, came.stream().filter(others::contains).toList());
                assertEquals(List.of(), publish(store, LIMIT));
            }
        }
    }

    /** What was written before the claim and committed after it belongs before what fills the batch (OBX-ORDER-1). */
    @Test
    void whatWasOpenAtTheClaimComesFirst() {
        boolean followed = false;
        try (ClientSession late = outbox.client.startSession();
                MongoClient client = MongoClients.create(MongoClientSettings.builder()
                        .applyConnectionString(new ConnectionString(outbox.url))
                        .addCommandListener(outbox.commands)
                        .addCommandListener(committingAfterAClaim(late))
                        .build());
                Store store = MongoOutbox.store(client, outbox.name(), OPTIONS)) {
            for (int round = 0; !followed; round++) {
                assertTrue(round < 30, "no batch was read under a claim that was taken ahead");
                String text = "late " + round;
                late.startTransaction();
                MongoOutbox.persist(late, outbox.database).persist(TestOutbox.message(0, text));
                commit(0, 1_000);
                publishUntilOneFollows(store);
                assertFalse(late.hasActiveTransaction(), "the transaction has ended");
                outbox.commands.clear();
                List<String> batch = publish(store, LIMIT);
                assertEquals(text, batch.get(0), "the oldest that is committed, before " + batch);
                followed = outbox.commands.names().equals(FOLLOWING);
                while (!batch.isEmpty()) {
                    batch = publish(store, 1_000);
                }
            }
        }
    }

    /** Ends a transaction when a close has taken a partition ahead, and before the time runs for which that is kept. */
    private CommandListener committingAfterAClaim(ClientSession late) {
        return new CommandListener() {
            @Override
            public void commandSucceeded(CommandSucceededEvent event) {
                if (event.getCommandName().equals("commitTransaction")
                        && wasFollowed()
                        && late.hasActiveTransaction()) {
                    late.commitTransaction();
                }
            }
        };
    }

    /** Not even while it is being given back does a checkout of the same store find nothing. */
    @Test
    void whatIsBeingGivenBackIsWaitedFor() throws Exception {
        List<String> all = commit(0, 1_000);
        CountDownLatch givingBack = new CountDownLatch(1);
        CommandListener slow = new CommandListener() {
            @Override
            public void commandStarted(CommandStartedEvent event) {
                if (Thread.currentThread().getName().equals("outbox-mongo-following")
                        && event.getCommandName().equals("update")) {
                    givingBack.countDown();
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200)); // time to find nothing
                }
            }
        };
        MongoClientSettings settings = MongoClientSettings.builder()
                .applyConnectionString(new ConnectionString(outbox.url))
                .addCommandListener(outbox.commands)
                .addCommandListener(slow)
                .build();
        try (MongoClient client = MongoClients.create(settings);
                Store store = MongoOutbox.store(client, outbox.name(), OPTIONS)) {
            List<String> came = publishUntilOneFollows(store);
            givingBack.await();
            List<String> next = publish(store, LIMIT);
            assertEquals(LIMIT, next.size(), "messages");
            came.addAll(next);
            assertEquals(all.subList(0, came.size()), came);
        }
    }

    /** What did not take effect as a whole is there for everybody at once. */
    @Test
    void whatIsReleasedIsFreeAtOnce() {
        List<String> all = commit(0, 1_000);
        try (Store one = open();
                Store two = open()) {
            List<String> came = publishUntilOneFollows(one);
            try (MessageBatch batch = one.checkout(Set.of(TOPIC), LIMIT)) {
                List<String> messages = texts(batch);
                batch.messages().subList(0, 5).forEach(m -> batch.markPublished(m, null));
                came.addAll(messages.subList(0, 5));
            }
            came.addAll(publish(two, 1_000));
            assertEquals(all, came);
        }
    }

    /** Two that work off one backlog see each other, and share it. */
    @Test
    void nobodyIsShutOut() throws Exception {
        try (Store one = open();
                Store two = open()) {
            // On a busy machine one may have taken all before the other was awake.
            for (int round = 1; !share(one, two); round++) {
                assertTrue(round < 10, "one of two has taken everything, each time");
            }
        }
    }

    /** Whether both of two have got something of a backlog. */
    private boolean share(Store one, Store two) throws Exception {
        List<String> all = commit(0, 1_000);
        List<String> came = Collections.synchronizedList(new ArrayList<>());
        int[] by = new int[2];
        Thread[] relays = new Thread[2];
        for (int i = 0; i < 2; i++) {
            int relay = i;
            Store store = i == 0 ? one : two;
            relays[i] = new Thread(() -> {
                while (came.size() < all.size()) {
                    try (MessageBatch batch = store.checkout(Set.of(TOPIC), LIMIT)) {
                        batch.messages().forEach(m -> batch.markPublished(m, null));
                        came.addAll(texts(batch));
                        by[relay] += batch.messages().size();
                    }
                }
            });
            relays[i].start();
        }
        for (Thread relay : relays) {
            relay.join();
        }
        assertEquals(all, came);
        return by[0] > 0 && by[1] > 0;
    }

    /** As after a pause in which the lease was over: the claim is no better than any other. */
    @Test
    void whatOthersHaveTakenMeanwhileIsNotSettled() {
        List<String> all = commit(0, 1_000);
        try (Store one = open()) {
            List<String> came = publishUntilOneFollows(one);
            MessageBatch batch = one.checkout(Set.of(TOPIC), LIMIT);
            batch.messages().forEach(m -> batch.markPublished(m, null));
            outbox.database
                    .getCollection("outbox_partitions")
                    .updateMany(new Document(), Updates.set("fence", new ObjectId()));
            assertThrows(HoldLostException.class, batch::close);
            assertFalse(batch.isHeld());
            outbox.database
                    .getCollection("outbox_partitions")
                    .updateMany(new Document(), Updates.combine(Updates.unset("fence"), Updates.unset("leaseUntil")));
            came.addAll(publish(one, 1_000));
            assertEquals(all, came);
        }
    }
}
