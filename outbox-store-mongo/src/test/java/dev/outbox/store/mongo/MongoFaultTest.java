package dev.outbox.store.mongo;

import static dev.outbox.store.mongo.TestOutbox.TOPIC;
import static dev.outbox.store.mongo.TestOutbox.eventually;
import static dev.outbox.store.mongo.TestOutbox.publishAll;
import static dev.outbox.store.mongo.TestOutbox.texts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.model.Updates;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.MongoServer;
import dev.outbox.servers.TcpProxy;
import dev.outbox.servers.TcpProxy.Moment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.bson.BsonDateTime;
import org.bson.Document;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One thing goes wrong at a moment that is chosen: an answer is lost, nothing gets through, a clock jumps. */
@Tag("mongo")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MongoFaultTest {
    /** So long that nothing in these tests comes about by its end. */
    private static final StoreOptions LONG_LEASE =
            StoreOptions.defaults().with(MongoOutbox.LEASE, Duration.ofMinutes(10));

    private TestOutbox outbox;
    private TcpProxy network;

    @BeforeEach
    void create() throws Exception {
        outbox = new TestOutbox(MongoServer.shared());
        network = TcpProxy.before("//" + hosts());
    }

    @AfterEach
    void drop() throws Exception {
        network.close();
        outbox.close();
    }

    private String hosts() {
        return outbox.url.replaceFirst("mongodb://(?:[^@/]*@)?", "").replaceFirst("/.*", "");
    }

    private String remoteUrl() {
        return TestOutbox.with(
                "directConnection=true",
                outbox.url.replace(hosts(), network.route("//" + hosts()).substring(2)));
    }

    /** The driver asks again, and the server does not do it twice. */
    @ParameterizedTest
    @EnumSource(Moment.class)
    void aClaimOfOnePartitionThatIsNotAnsweredIsAskedForAgain(Moment moment) {
        outbox.commit(0, "1");
        try (Store remote = Stores.open(remoteUrl(), LONG_LEASE)) {
            network.cutAtNext(Pattern.compile("findAndModify"), moment);
            assertEquals(List.of("1"), publishAll(remote));
            assertEquals(1, network.sprung(), "connections cut");
        }
    }

    /** The driver does not ask again; what the server may have done is undone. */
    @ParameterizedTest
    @EnumSource(Moment.class)
    void aClaimOfSeveralPartitionsThatIsNotAnsweredIsGivenUp(Moment moment) throws Exception {
        outbox.commit(0, "0");
        outbox.commit(1, "1");
        try (Store remote = Stores.open(remoteUrl(), LONG_LEASE);
                Store direct = Stores.open(outbox.url, LONG_LEASE)) {
            network.cutAtNext(Pattern.compile("owner"), moment);
            assertThrows(StoreException.class, () -> remote.checkout(Set.of(TOPIC), 10));
            assertEquals(1, network.sprung(), "connections cut");
            List<String> came = new ArrayList<>();
            eventually("both partitions are free, long before the end of a lease", () -> {
                came.addAll(publishAll(direct));
                return came.size() == 2 ? true : null;
            });
            assertEquals(Set.of("0", "1"), Set.copyOf(came));
        }
    }

    /** Whether it was done is for the server to tell; a batch that is settled is never called lost. */
    @ParameterizedTest
    @EnumSource(Moment.class)
    void aCommitThatIsNotAnsweredIsAskedForAgain(Moment moment) {
        outbox.commit(0, "1", "2");
        try (Store remote = Stores.open(remoteUrl(), LONG_LEASE);
                Store direct = Stores.open(outbox.url, LONG_LEASE)) {
            try (MessageBatch batch = remote.checkout(Set.of(TOPIC), 10)) {
                batch.markPublished(batch.messages().get(0), null);
                network.cutAtNext(Pattern.compile("commitTransaction"), moment);
            }
            assertEquals(1, network.sprung(), "connections cut");
            assertEquals(List.of("2"), publishAll(direct), "what the close left");
        }
    }

    /** That close may wait for as long as the driver does, and no other hold is to last for as long. */
    @Test
    void aStoreThatIsClosedHoldsNothingMoreWhileTheCloseOfABatchWaitsForTheServer() throws Exception {
        for (int partition = 0; partition < 10; partition++) {
            outbox.commit(partition, "a message");
        }
        try (Store remote = Stores.open(remoteUrl(), LONG_LEASE)) {
            MessageBatch first = remote.checkout(Set.of(TOPIC), 1);
            List<MessageBatch> others = new ArrayList<>(); // many: no order in which a store ends them is to matter
            for (int i = 1; i < 10; i++) {
                others.add(remote.checkout(Set.of(TOPIC), 1));
            }
            first.markPublished(first.messages().get(0), null);
            assertTrue(others.stream().allMatch(MessageBatch::isHeld));
            network.stall();
            Thread closingBatch = new Thread(first::close);
            closingBatch.start();
            eventually("the close of the batch waits", () -> closes(closingBatch) ? true : null);
            Thread closingStore = new Thread(remote::close);
            closingStore.start();
            eventually("no other is held", () -> others.stream().anyMatch(MessageBatch::isHeld) ? null : true);
            assertTrue(closingBatch.isAlive(), "the close of the batch was waited for");
            others.forEach(batch -> assertThrows(HoldLostException.class, batch::close));
            network.heal();
            closingBatch.join();
            closingStore.join();
        }
    }

    private static boolean closes(Thread thread) {
        return Arrays.stream(thread.getStackTrace())
                .anyMatch(frame -> frame.getClassName().equals(BatchCloser.class.getName()));
    }

    /** Nothing gets through, and nobody is told: the holder has to know by itself before others come. */
    @Test
    void aHolderWhoCannotRenewStopsTrustingItsHoldBeforeAnotherGetsIt() throws Exception {
        StoreOptions lease = StoreOptions.defaults().with(MongoOutbox.LEASE, Duration.ofSeconds(2));
        outbox.commit(0, "1");
        try (Store remote = Stores.open(remoteUrl(), lease);
                Store direct = Stores.open(outbox.url, lease)) {
            MessageBatch stale = eventually("a batch that is held", () -> held(remote));
            stale.markPublished(stale.messages().get(0), null);
            network.stall();
            AtomicBoolean taken = new AtomicBoolean();
            eventually("the partition is another's", () -> {
                try (MessageBatch batch = direct.checkout(Set.of(TOPIC), 10)) {
                    taken.set(!batch.messages().isEmpty());
                    assertFalse(taken.get() && stale.isHeld(), "two trust their hold of one partition");
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                } catch (OutboxException e) {
                    return null; // on a busy machine a lease of seconds may be over
                }
                return taken.get() ? true : null;
            });
            network.heal();
            assertThrows(HoldLostException.class, stale::close);
            assertEquals(0, outbox.database.getCollection("outbox_messages").countDocuments());
        }
    }

    /** On a busy machine a lease of seconds may be over already. */
    static @Nullable MessageBatch held(Store store) {
        try {
            MessageBatch batch = store.checkout(Set.of(TOPIC), 10);
            if (!batch.messages().isEmpty() && batch.isHeld()) {
                return batch;
            }
            batch.close();
        } catch (OutboxException e) {
            // There is another time.
        }
        return null;
    }

    /**
     * The clock that decides is ahead after a failover, so a lease is over that its holder still trusts: as here, where
     * its end is moved instead. The message comes twice, and is settled once.
     */
    @Test
    void aClockThatJumpsAheadLetsMessagesComeTwiceAndBeSettledOnce() throws Exception {
        outbox.commit(0, "1", "2");
        try (Store one = Stores.open(outbox.url, LONG_LEASE);
                Store two = MongoOutbox.store(outbox.client, outbox.name(), LONG_LEASE)) {
            MessageBatch first = one.checkout(Set.of(TOPIC), 10);
            first.messages().forEach(m -> first.markPublished(m, null));
            outbox.database
                    .getCollection("outbox_partitions")
                    .updateMany(new Document(), Updates.set("leaseUntil", new BsonDateTime(0)));
            MessageBatch second = eventually("the other store takes over", () -> {
                MessageBatch batch = two.checkout(Set.of(TOPIC), 10);
                return batch.messages().isEmpty() ? null : batch;
            });
            assertEquals(List.of("1", "2"), texts(second));
            assertTrue(first.isHeld(), "nothing tells the first holder yet");
            // It closes nothing, so there was no need to, and by now the session may serve somebody else.
            assertFalse(outbox.commands.names().contains("killSessions"), "the session of the first holder was killed");
            assertThrows(HoldLostException.class, first::close);
            assertTrue(second.isHeld());
            second.markPublished(second.messages().get(0), null);
            second.close();
            assertEquals(List.of("2"), publishAll(one), "what the second holder left");
        }
    }

    /** As when a client of the application was closed too early. */
    @Test
    void aStoreWhoseClientIsGoneSaysSo() {
        MongoClient client = MongoClients.create(outbox.url);
        Store store = MongoOutbox.store(client, outbox.name(), StoreOptions.defaults());
        outbox.commit(0, "1");
        MessageBatch batch = store.checkout(Set.of(TOPIC), 10);
        batch.markPublished(batch.messages().get(0), null);
        client.close();
        assertThrows(StoreException.class, batch::close);
        assertThrows(StoreException.class, () -> store.checkout(Set.of(TOPIC), 10));
        store.close();
    }
}
