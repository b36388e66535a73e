package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.MessageBatch;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.store.jooq.internal.checkout.FillingTest;
import dev.outbox.store.jooq.internal.checkout.TopicSet;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A checkout ends, fills its batch and sends few statements, whatever the number of partitions that are ready. */
@Timeout(300)
class H2CountsTest {
    private static final Set<String> TOPIC = Set.of("orders");

    /** The sizes at which sums of shares do not come out even, and default settings. */
    private static final List<Integer> DENSE = List.of(64, 100);

    private final H2Harness harness = new H2Harness();
    private String address = "";
    private int written;

    @BeforeEach
    void create() throws Exception {
        address = harness.createOutbox();
    }

    @AfterEach
    void drop() throws Exception {
        harness.dropOutbox(address);
    }

    @Test
    void everyCountUpTo300() throws Exception {
        Observed pool = pool();
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            for (int n = 1; n <= 300; n++) {
                write(n);
                for (int limit : n % 25 == 0 ? FillingTest.LIMITS : DENSE) {
                    assertFull(store, pool, n, limit);
                }
            }
        }
    }

    /** Prints what each count costs. */
    @Test
    void countsUpTo10000() throws Exception {
        Observed pool = pool();
        TreeMap<Integer, Integer> statements = new TreeMap<>();
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            for (int n : FillingTest.counts()
                    .filter(n -> n < 300 ? n % 50 == 0 : true)
                    .toArray()) {
                write(n);
                for (int limit : FillingTest.LIMITS) {
                    int sent = assertFull(store, pool, n, limit);
                    if (limit == 100) {
                        statements.put(n, sent);
                    }
                }
            }
        }
        System.out.println("statements of a checkout of 100, by partitions with one message each: " + statements);
    }

    @Test
    void inCompanyWithSomeThatHaveMore() throws Exception {
        Observed pool = pool();
        try (Store other = harness.open(address);
                Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            for (int n : new int[] {5, 60, 99, 170, 180, 196, 257, 300, 480}) {
                write(n);
                add(n / 30, 2);
                try (MessageBatch held = other.checkout(TOPIC, n / 3 + 1)) {
                    int free = count("") - ready(held);
                    for (int limit : FillingTest.LIMITS) {
                        try (MessageBatch batch = store.checkout(TOPIC, limit)) {
                            assertEquals(
                                    Math.min(free, limit), batch.messages().size(), n + " partitions, limit " + limit);
                        }
                    }
                }
            }
        }
    }

    /** All messages of the partitions of a batch. */
    private int ready(MessageBatch batch) throws Exception {
        Set<Integer> partitions =
                batch.messages().stream().map(m -> m.partition()).collect(Collectors.toSet());
        return count(" WHERE partition_no IN ("
                + partitions.stream().map(String::valueOf).collect(Collectors.joining(",")) + ")");
    }

    private int count(String which) throws Exception {
        try (Connection connection = DriverManager.getConnection(address);
                var rows = connection.createStatement().executeQuery("SELECT count(*) FROM outbox_message" + which)) {
            rows.next();
            return rows.getInt(1);
        }
    }

    /** What a store remembers of partitions that another has emptied meanwhile costs no step for each of them. */
    @Test
    void partitionsThatOthersHaveEmptied() throws Exception {
        Observed pool = pool();
        try (Store other = harness.open(address);
                Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            for (int limit : new int[] {1, 2, 99, 100, 500}) {
                write(600);
                store.checkout(TOPIC, limit).close(); // which remembers all
                try (MessageBatch all = other.checkout(TOPIC, 400)) {
                    all.messages().forEach(m -> all.markPublished(m, null));
                }
                pool.sent.clear();
                try (MessageBatch batch = store.checkout(TOPIC, limit)) {
                    assertEquals(Math.min(limit, 200), batch.messages().size(), "limit " + limit);
                }
                assertFew(pool, 600, limit);
                execute("DELETE FROM outbox_message");
                written = 0;
            }
        }
    }

    @Test
    void partitionsInTheirDelayAreLeftOut() throws Exception {
        Observed pool = pool();
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            write(370);
            try (MessageBatch failing = store.checkout(TOPIC, 190)) {
                failing.messages().forEach(m -> failing.markFailed(m, "away", Duration.ofHours(1)));
            }
            for (int limit : FillingTest.LIMITS) {
                assertFull(store, pool, 180, limit);
            }
        }
    }

    /** By turns, also those that no batch has room for. */
    @Test
    void everybodyIsServed() throws Exception {
        try (Store store = harness.open(address)) {
            for (int limit : new int[] {100, 1000}) {
                write(1100);
                add(1100, 30);
                Set<Integer> served = new HashSet<>();
                int checkouts = 0;
                while (served.size() < 1100) {
                    assertTrue(++checkouts <= 40, "served after 40 checkouts of " + limit + ": " + served.size());
                    try (MessageBatch batch = store.checkout(TOPIC, limit)) {
                        batch.messages().forEach(m -> served.add(m.partition()));
                    }
                }
            }
        }
    }

    private int assertFull(Store store, Observed pool, int n, int limit) {
        pool.sent.clear();
        try (MessageBatch batch = store.checkout(TOPIC, limit)) {
            List<Integer> partitions =
                    batch.messages().stream().map(m -> m.partition()).distinct().toList();
            assertEquals(
                    Math.min(Math.min(n, limit), TopicSet.MOST_PARTITIONS),
                    batch.messages().size(),
                    n + " partitions, limit " + limit);
            assertEquals(batch.messages().size(), partitions.size(), n + " partitions, limit " + limit);
        }
        return assertFew(pool, n, limit);
    }

    /** A read of more partitions than one statement takes is several. */
    private static int assertFew(Observed pool, int n, int limit) {
        int sent = (int)
                pool.sent.stream().filter(sql -> !sql.startsWith("INSERT")).count();
        int reads = Math.min(Math.min(n, limit), TopicSet.MOST_PARTITIONS) / 50;
        assertTrue(
                sent <= 2 * FillingTest.log2(n) + reads + 6,
                n + " partitions, limit " + limit + ": " + sent + "\n" + String.join("\n", pool.sent));
        return sent;
    }

    private Observed pool() {
        return new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
    }

    /** One message into each partition that has none yet. */
    private void write(int n) throws Exception {
        execute(
                "INSERT INTO outbox_message (topic, partition_no, payload) SELECT 'orders', x - 1, X'00' FROM SYSTEM_RANGE("
                        + (written + 1) + ", " + n + ")");
        written = Math.max(n, written);
    }

    /** More messages into the first partitions. */
    private void add(int partitions, int each) throws Exception {
        for (int i : IntStream.range(1, each).toArray()) {
            execute("INSERT INTO outbox_message (topic, partition_no, payload) SELECT 'orders', x - 1, X'0" + i % 10
                    + "' FROM SYSTEM_RANGE(1, " + partitions + ")");
        }
    }

    private void execute(String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection(address);
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
