package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Browsing;
import dev.outbox.MessageBatch;
import dev.outbox.OutgoingMessage;
import dev.outbox.PendingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.Partition;
import dev.outbox.tck.StoreHarness;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Batches are bounded by bytes, too; on every database. */
@Timeout(300)
abstract class LargeMessagesTest {
    private static final String TOPIC = StoreTest.TOPIC;

    final StoreHarness harness;
    String address = "";

    LargeMessagesTest(StoreHarness harness) {
        this.harness = harness;
    }

    @BeforeEach
    void create() throws Exception {
        address = harness.createOutbox();
    }

    @AfterEach
    void drop() throws Exception {
        harness.dropOutbox(address);
    }

    private void commit(int partition, String... texts) throws Exception {
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            for (String text : texts) {
                JdbcOutbox.persist(connection).persist(StoreTest.message(partition, text));
            }
            connection.commit();
        }
    }

    /** With the number of a message in its first bytes. */
    private void commitLarge(int partition, int first, int count, int bytes) throws Exception {
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            for (int i = first; i < first + count; i++) {
                byte[] payload = ByteBuffer.allocate(bytes).putInt(i).array();
                JdbcOutbox.persist(connection).persist(new OutgoingMessage(TOPIC, partition, null, Map.of(), payload));
            }
            connection.commit();
        }
    }

    private static int number(PersistedMessage message) {
        return ByteBuffer.wrap(message.payload()).getInt();
    }

    private static long bytes(MessageBatch batch) {
        return batch.messages().stream().mapToLong(m -> m.payload().length).sum();
    }

    private static void settle(MessageBatch batch) {
        batch.messages().forEach(m -> batch.markPublished(m, null));
        batch.close();
    }

    @Test
    void aBatchOfLargeMessagesIsBoundedByTheirBytes() throws Exception {
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        commit(0, "small");
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            StoreTest.publishAll(store, 1000);
            commitLarge(0, 0, 39, 2 << 20);
            commit(0, IntStream.range(39, 1300).mapToObj(i -> "small").toArray(String[]::new));
            List<Integer> sizes = new ArrayList<>();
            List<Long> sent = new ArrayList<>();
            int next = 0;
            while (next < 39) {
                pool.sent.clear();
                MessageBatch batch = store.checkout(Set.of(TOPIC), 1000);
                sent.add(pool.sent.stream()
                        .filter(sql -> sql.contains("m.id IN ("))
                        .count());
                assertTrue(bytes(batch) <= 32 << 20, bytes(batch) + " bytes in a batch");
                for (PersistedMessage message : batch.messages()
                        .subList(0, Math.min(39 - next, batch.messages().size()))) {
                    assertEquals(next++, number(message));
                    assertEquals(2 << 20, message.payload().length);
                }
                sizes.add(batch.messages().size());
                settle(batch);
            }
            assertEquals(List.of(16, 16, 1000), sizes, "messages, of which the last batch has seven large ones");
            assertEquals(
                    List.of(1L, 0L, 1L), sent, "reads of what was left out, which is nothing where it is expected");
            assertEquals(1300 - 1032, StoreTest.publishAll(store, 1000).size());
        }
    }

    @Test
    void partitionsOfLargeMessagesTakeTurns() throws Exception {
        for (int partition = 0; partition < 60; partition++) {
            commitLarge(partition, 0, 2, 1 << 20);
        }
        commit(60, "small");
        try (Store store = harness.open(address);
                Store other = harness.open(address)) {
            Set<Integer> served = new HashSet<>();
            int[] next = new int[60];
            for (int i = 0; i < 3; i++) {
                MessageBatch batch = store.checkout(Set.of(TOPIC), 1000);
                assertTrue(bytes(batch) <= 32 << 20 && bytes(batch) >= 16 << 20, bytes(batch) + " bytes");
                for (PersistedMessage message : batch.messages()) {
                    served.add(message.partition());
                    if (message.partition() < 60) {
                        assertEquals(next[message.partition()]++, number(message));
                    }
                }
                if (i == 0) {
                    // Those that found no place are not kept from others.
                    try (MessageBatch others = other.checkout(Set.of(TOPIC), 1000)) {
                        assertTrue(bytes(others) >= 16 << 20, bytes(others) + " bytes for another relay");
                    }
                }
                settle(batch);
            }
            assertTrue(served.size() >= 60, "partitions in three batches: " + served);
            int left = 121 - IntStream.of(next).sum() - (served.contains(60) ? 1 : 0);
            for (int batches = 0; left > 0; batches++) {
                MessageBatch batch = store.checkout(Set.of(TOPIC), 1000);
                left -= batch.messages().size();
                settle(batch);
                assertTrue(batches < 10, left + " messages are left");
            }
        }
    }

    /** Three are tried at first, of which two fit. They are found in the order of their numbers, beginning with any of them. */
    @Test
    void noPartitionLosesItsTurnToTheBudget() throws Exception {
        for (int partition = 0; partition < 9; partition++) {
            commitLarge(partition, 0, 1, 16 << 20);
        }
        try (Store store = harness.open(address)) {
            List<Integer> served = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                MessageBatch batch = store.checkout(Set.of(TOPIC), 8);
                assertEquals(2, batch.messages().size());
                batch.messages().forEach(m -> served.add(m.partition()));
                settle(batch);
            }
            int first = served.get(0);
            assertEquals(IntStream.range(first, first + 8).mapToObj(i -> i % 9).toList(), served);
        }
    }

    @Test
    void whatFindsNoPlaceIsReadOnce() throws Exception {
        for (int partition = 1; partition <= 4; partition++) {
            commitLarge(partition, 0, 1, 10 << 20);
        }
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            pool.sent.clear();
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 100)) {
                assertEquals(3, batch.messages().size());
            }
            List<String> reads = pool.sent.stream()
                    .filter(sql -> sql.contains("payload") && !sql.contains("m.id IN ("))
                    .toList();
            assertEquals(2, reads.size(), () -> String.join("\n", pool.sent));
        }
    }

    /** Two are expected to fill the batch; then it turns out that they are small, and all partitions share the limit. */
    @Test
    void behindLargeMessagesSmallOnesShareTheLimit() throws Exception {
        commitLarge(0, 0, 2, 16 << 20);
        try (Store store = harness.open(address)) {
            assertEquals(2, StoreTest.publishAll(store, 20).size());
            for (int partition = 0; partition < 20; partition++) {
                commit(partition, IntStream.range(0, 30).mapToObj(i -> "small").toArray(String[]::new));
            }
            // The store looks for further partitions a moment after it has looked last.
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
            long partitions = 0;
            while (partitions != 20) {
                assertTrue(System.nanoTime() - deadline < 0, "20 messages were of " + partitions + " partitions");
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 20)) {
                    partitions = batch.messages().stream()
                            .map(PersistedMessage::partition)
                            .distinct()
                            .count();
                }
            }
        }
    }

    @Test
    void theLargestMessageFindsAPlaceBesideSmallOnes() throws Exception {
        for (int partition = 0; partition < 3; partition++) {
            commitLarge(partition, 0, 2, 16 << 20);
            commit(partition, "small");
        }
        try (Store store = harness.open(address)) {
            List<PersistedMessage> all = new ArrayList<>();
            for (int i = 0; i < 6 && all.size() < 9; i++) {
                MessageBatch batch = store.checkout(Set.of(TOPIC), 100);
                assertTrue(bytes(batch) <= 32 << 20, bytes(batch) + " bytes");
                all.addAll(batch.messages());
                settle(batch);
            }
            for (int partition = 0; partition < 3; partition++) {
                int p = partition;
                assertEquals(
                        List.of(16 << 20, 16 << 20, 5),
                        all.stream()
                                .filter(m -> m.partition() == p)
                                .map(m -> m.payload().length)
                                .toList());
            }
        }
    }

    /** Of large messages, a page reads the payloads that have a place on it, although nothing foretells their size. */
    @Test
    void aPageReadsThePayloadsThatItHas() throws Exception {
        commit(0, "small", "small", "small", "small", "small");
        commitLarge(0, 0, 20, 1 << 20);
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            pool.sent.clear();
            Browsing.Page page = Browsing.of(store).pending(TOPIC, null, null, 1000);
            List<PersistedMessage> large = page
                    .messages()
                    .subList(5, page.messages().size())
                    .stream()
                    .map(PendingMessage::message)
                    .toList();
            assertEquals(
                    IntStream.range(0, 8).boxed().toList(),
                    large.stream().map(LargeMessagesTest::number).toList());
            assertTrue(large.stream().allMatch(message -> message.payload().length == 1 << 20));
            List<String> payloads =
                    pool.sent.stream().filter(sql -> sql.contains("m.id IN (")).toList();
            assertEquals(1, payloads.size(), payloads.toString());
            assertEquals(8, payloads.get(0).split(",", -1).length - 1, payloads.toString());
        }
    }

    /** Somebody has deleted it, past the outbox, between the two reads: the batch ends before it. */
    @Test
    void aLargeMessageThatIsGoneEndsItsPartition() throws Exception {
        Partition partition = new Partition(1, TOPIC, 0);
        HeldPartition held = new HeldPartition(partition, 0, 0, Long.MAX_VALUE);
        held.startReading(10, true);
        for (int id = 1; id <= 3; id++) {
            held.add(id, new PersistedMessage("" + id, TOPIC, 0, null, Map.of(), new byte[0], 0, Instant.EPOCH), 100);
        }
        held.complete(Map.of(1L, new byte[100], 3L, new byte[100]), Map.of());
        assertEquals(1, held.messages.size());
        assertEquals(100, held.bytes());
        assertNull(held.problem);
        held.restart();
        held.add(1, new PersistedMessage("1", TOPIC, 0, null, Map.of(), new byte[0], 0, Instant.EPOCH), 100);
        held.complete(Map.of(), Map.of(1L, "cannot be read"));
        assertEquals(0, held.messages.size());
        assertEquals("cannot be read", held.problem);
        assertEquals(1, held.problemRowId);
    }
}
