package dev.outbox.store.jooq.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.Codecs;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.OutboxListener;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.relay.Relay;
import dev.outbox.servers.TcpProxy;
import dev.outbox.servers.TcpProxy.Moment;
import dev.outbox.store.jooq.JdbcOutbox;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What one batch, or one transaction, comes to when a fault hits it at an exact moment; on every database. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
abstract class BatchFaultTest {
    private static final Set<String> TOPICS = Set.of(Settings.TOPIC);

    /** Whatever is sent next: used where that is known to be the commit. */
    private static final Pattern ANYTHING = Pattern.compile("");

    /** In an outage. A pool whose pauses double makes the next one after 5 s. */
    private static final int TRIES = 11;

    /** How often a test looks whether something is quick. */
    private static final int TIMES = 8;

    private final Database database;
    String url = "";

    BatchFaultTest(Database database) {
        this.database = database;
    }

    @BeforeEach
    void create() throws Exception {
        url = database.create();
        Stores.open(url, StoreOptions.defaults().withCreateSchema(true)).close();
        Sql.execute(url, "CREATE TABLE shop (number integer NOT NULL PRIMARY KEY)");
    }

    @AfterEach
    void drop() throws Exception {
        database.drop(url);
    }

    static void persist(Connection connection, int partition, String text) {
        JdbcOutbox.persist(connection)
                .persist(new OutgoingMessage(
                        Settings.TOPIC, partition, null, Map.of(), text.getBytes(StandardCharsets.UTF_8)));
    }

    void commit(String... texts) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url)) {
            connection.setAutoCommit(false);
            for (String text : texts) {
                persist(connection, 0, text);
            }
            connection.commit();
        }
    }

    static List<String> publishAll(Store store) {
        try (MessageBatch batch = store.checkout(TOPICS, 100)) {
            List<String> texts = new ArrayList<>();
            for (PersistedMessage message : batch.messages()) {
                texts.add(new String(message.payload(), StandardCharsets.UTF_8));
                batch.markPublished(message, null);
            }
            return texts;
        }
    }

    /** Until the server has noticed, a partition stays taken, and dead connections of the pool fail. */
    static void awaitPublished(Store store, String... texts) throws Exception {
        List<String> published = new ArrayList<>();
        Await.until("the messages " + List.of(texts) + " to come again", () -> {
            try {
                published.addAll(publishAll(store));
            } catch (OutboxException e) {
                return false;
            }
            return published.size() >= texts.length;
        });
        assertEquals(List.of(texts), published);
    }

    private static MessageBatch marked(Store store) {
        MessageBatch batch = store.checkout(TOPICS, 100);
        assertFalse(batch.messages().isEmpty());
        batch.messages().forEach(message -> batch.markPublished(message, null));
        return batch;
    }

    /** It waits for long, as the first connection may take on a busy machine. */
    static HikariDataSource pool(String url, int size) {
        return pool(url, size, Duration.ofMinutes(1));
    }

    private static HikariDataSource pool(String url, int size, Duration patience) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(size);
        config.setConnectionTimeout(patience.toMillis());
        config.setInitializationFailTimeout(TimeUnit.MINUTES.toMillis(1)); // by tries that are as patient each
        HikariDataSource pool = new HikariDataSource(config);
        DriverManager.setLoginTimeout(0); // which the pool has set for the whole process
        return pool;
    }

    @ParameterizedTest
    @EnumSource
    void aCommitOfABatchIsNotAnswered(Moment moment) throws Exception {
        AtomicBoolean cut = new AtomicBoolean();
        try (TcpProxy network = TcpProxy.before(url);
                HikariDataSource pool = pool(network.route(url), 1);
                Store store = JdbcOutbox.store(
                        Before.commit(pool, () -> {
                            if (cut.getAndSet(false)) {
                                network.cutAtNext(ANYTHING, moment);
                            }
                        }),
                        StoreOptions.defaults())) {
            commit("1");
            assertEquals(List.of("1"), publishAll(store)); // and the connection has prepared what it prepares
            commit("2");
            MessageBatch batch = marked(store);
            cut.set(true);
            StoreException unknown = assertThrows(StoreException.class, batch::close);
            assertTrue(String.valueOf(unknown.getMessage()).contains("not confirmed"), unknown.toString());
            assertFalse(unknown.getMessage().contains("password="), unknown.toString());
            assertEquals(1, network.sprung(), "connections cut at the commit");
            assertFalse(batch.isHeld());
            batch.close();
            commit("3");
            if (moment == Moment.BEFORE_ANSWER) {
                awaitPublished(store, "3");
            } else {
                awaitPublished(store, "2", "3");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aCommitOfAWriterIsNotAnswered(Moment moment) throws Exception {
        AtomicBoolean cut = new AtomicBoolean();
        try (TcpProxy network = TcpProxy.before(url);
                HikariDataSource pool = pool(network.route(url), 1);
                Store store = Stores.open(url)) {
            Connection connection = Before.commit(pool, () -> {
                        if (cut.getAndSet(false)) {
                            network.cutAtNext(ANYTHING, moment);
                        }
                    })
                    .getConnection(); // which the pool closes: it is dead in the end
            connection.setAutoCommit(false);
            persist(connection, 0, "1");
            connection.commit();
            try (Statement statement = connection.createStatement()) {
                statement.execute("INSERT INTO shop VALUES (2)");
            }
            persist(connection, 0, "2");
            cut.set(true);
            assertThrows(SQLException.class, connection::commit);
            assertEquals(1, network.sprung(), "connections cut at the commit");
            commit("3");
            boolean done = moment == Moment.BEFORE_ANSWER;
            assertEquals(done ? 1 : 0, Sql.number(url, "SELECT count(*) FROM shop"), "rows of the application");
            assertEquals(done ? List.of("1", "2", "3") : List.of("1", "3"), publishAll(store));
        }
    }

    /** A short batch is closed in one step: then nobody can know whether the connection was lost before or after it. */
    private static void assertLost(MessageBatch batch, long start, long millis) {
        while (System.nanoTime() - start < TimeUnit.MILLISECONDS.toNanos(millis)) {
            Thread.onSpinWait();
        }
        OutboxException said = assertThrows(OutboxException.class, batch::close);
        assertTrue(said instanceof HoldLostException || millis == 0 && said instanceof StoreException, said.toString());
        assertFalse(batch.isHeld());
        batch.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 100})
    void aConnectionIsCutBetweenCheckoutAndClose(long millis) throws Exception {
        try (TcpProxy network = TcpProxy.before(url);
                Store store = Stores.open(network.route(url))) {
            commit("1", "2");
            MessageBatch batch = marked(store);
            long start = System.nanoTime();
            network.cut();
            assertLost(batch, start, millis);
            awaitPublished(store, "1", "2");
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 100})
    void anAdministratorEndsTheSessionOfABatch(long millis) throws Exception {
        try (Store store = Stores.open(url);
                Connection administrator = DriverManager.getConnection(url)) {
            commit("1", "2");
            MessageBatch batch = marked(store);
            long start = System.nanoTime();
            database.endSessions(administrator);
            assertLost(batch, start, millis);
            awaitPublished(store, "1", "2");
        }
    }

    @Test
    void thePoolOfTheApplicationIsExhausted() throws Exception {
        Queue<String> published = new ConcurrentLinkedQueue<>();
        CountDownLatch exhausted = new CountDownLatch(1);
        Queue<OutboxException> errors = new ConcurrentLinkedQueue<>();
        Topic<String> topic = Topic.builder(Settings.TOPIC, Codecs.text())
                .publisher(message -> {
                    exhausted.await();
                    published.add(message.message());
                    return Receipt.taken();
                })
                .build();
        try (HikariDataSource pool = pool(url, 2, Duration.ofSeconds(2));
                Store store = JdbcOutbox.store(pool, StoreOptions.defaults());
                Relay relay = Relay.builder(store)
                        .topic(topic)
                        .workers(4)
                        .batchSize(2)
                        .listener(new OutboxListener() {
                            @Override
                            public void storeFailed(StoreFailed event) {
                                errors.add(event.error());
                                exhausted.countDown();
                            }
                        })
                        .build()) {
            try (Connection connection = DriverManager.getConnection(url)) {
                connection.setAutoCommit(false);
                for (int i = 0; i < 40; i++) {
                    persist(connection, i % 8, Integer.toString(i));
                }
                connection.commit();
            }
            relay.start();
            Await.until("all messages to be published", () -> published.size() >= 40);
            Await.until("all of them to be settled", () -> Sql.number(url, "SELECT count(*) FROM outbox_message") == 0);
        }
        assertEquals(
                IntStream.range(0, 40).mapToObj(Integer::toString).sorted().toList(),
                published.stream().sorted().toList());
        for (OutboxException error : errors) {
            assertTrue(
                    error instanceof StoreException
                            && error.getMessage().contains("raise the size of your pool")
                            && error.getMessage()
                                    .matches(
                                            "(?s).* uses [0-2] connections, [0-2] of them for open batches, .* makes at most 2\\..*"),
                    error.toString());
        }
    }

    /** The pauses of the pool alone would have grown to 5 s by then, each time. A busy machine is slow now and then. */
    @Test
    void relaysPublishSoonAfterAnOutage() throws Exception {
        List<Duration> late = new ArrayList<>();
        do {
            assertTrue(late.size() < TIMES, "published after the outage, each time: " + late);
            late.add(outage());
        } while (late.get(late.size() - 1).compareTo(Duration.ofSeconds(4)) >= 0);
    }

    private Duration outage() throws Exception {
        Queue<String> published = new ConcurrentLinkedQueue<>();
        Topic<String> topic = Topic.builder(Settings.TOPIC, Codecs.text())
                .publisher(message -> {
                    published.add(message.message());
                    return Receipt.taken();
                })
                .build();
        try (TcpProxy network = TcpProxy.before(url);
                Store store = Stores.open(network.route(url));
                Relay relay = Relay.builder(store).topic(topic).workers(4).build()) {
            relay.start();
            commit("1");
            Await.until("the relay to publish", () -> published.contains("1"));
            network.refuse();
            commit("2");
            Await.until("many tries to connect", () -> network.refused() >= TRIES);
            long start = System.nanoTime();
            network.heal();
            Await.until("the relay to publish again", () -> published.contains("2"));
            Duration late = Duration.ofNanos(System.nanoTime() - start);
            Await.until("both to be settled", () -> Sql.number(url, "SELECT count(*) FROM outbox_message") == 0);
            return late;
        }
    }

    /** And not after the pause between two tries. A busy machine is slow now and then. */
    @Test
    void aStoreClosesWithoutDelayDuringAnOutage() throws Exception {
        List<Duration> took = new ArrayList<>();
        do {
            assertTrue(took.size() < TIMES, "closed, each time: " + took);
            took.add(closeDuringAnOutage());
        } while (took.get(took.size() - 1).compareTo(Duration.ofSeconds(2)) >= 0);
    }

    private Duration closeDuringAnOutage() throws Exception {
        try (TcpProxy network = TcpProxy.before(url)) {
            Store store = Stores.open(network.route(url));
            network.refuse();
            AtomicBoolean over = new AtomicBoolean();
            Thread waiting = new Thread(() -> {
                while (!over.get()) {
                    assertThrows(OutboxException.class, () -> publishAll(store));
                }
            });
            waiting.start();
            Await.until("many tries to connect", () -> network.refused() >= TRIES);
            long start = System.nanoTime();
            store.close();
            Duration took = Duration.ofNanos(System.nanoTime() - start);
            int refused = network.refused();
            over.set(true);
            waiting.interrupt();
            waiting.join();
            int more = network.refused() - refused;
            assertTrue(more <= 1, "tries to connect after the store was closed, except the one under way: " + more);
            return took;
        }
    }

    /** What a clock leaves behind that was days ahead: nothing is to wait until it is that late again. */
    @Test
    void theClockOfTheServerIsSetBack() throws Exception {
        commit("1", "2");
        try (Store store = Stores.open(url)) {
            try (MessageBatch batch = store.checkout(TOPICS, 1)) {
                batch.markFailed(batch.messages().get(0), "away", Duration.ofDays(1));
            }
            assertEquals(List.of(), publishAll(store));
            String ahead = " + INTERVAL '2' DAY";
            Sql.execute(
                    url,
                    "UPDATE outbox_partition SET failed_at = failed_at" + ahead + ", retry_at = retry_at" + ahead,
                    "UPDATE outbox_message SET created_at = created_at" + ahead);
            assertEquals(List.of("1", "2"), publishAll(store));
        }
    }
}
