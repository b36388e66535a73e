package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.TcpProxy;
import dev.outbox.store.jooq.internal.dialect.LastAnswer;
import dev.outbox.tck.StoreHarness;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How long a hold lasts, who gets it then, and how its owner hears of it; on every database behind a network. */
@Timeout(300)
abstract class HoldTest {
    private static final Set<String> TOPICS = Set.of(StoreTest.TOPIC);
    private static final Duration SILENCE = LastAnswer.silence;

    /** So that a test does not take minutes. */
    private static final Duration SHORT = Duration.ofSeconds(8);

    /** Of the test, on a busy machine. What never comes does not come in that time either. */
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final StoreHarness harness;
    private final List<HikariDataSource> pools = new ArrayList<>();
    String address = "";

    HoldTest(StoreHarness harness) {
        this.harness = harness;
    }

    @BeforeAll
    static void shorten() {
        LastAnswer.silence = SHORT;
    }

    @AfterAll
    static void restore() {
        LastAnswer.silence = SILENCE;
    }

    @BeforeEach
    void create() throws Exception {
        address = harness.createOutbox();
    }

    @AfterEach
    void drop() throws Exception {
        for (HikariDataSource pool : pools) {
            pool.close();
        }
        harness.dropOutbox(address);
    }

    /** What makes sessions of a URL end when they are idle, or their transactions and statements when they take long. */
    abstract String limited(String url);

    /** Query: all of these limits, as one text. */
    abstract String limits();

    /** A store with a pool of its own, and one over the application's. */
    private List<Store> stores(String url) {
        return List.of(Stores.open(url), JdbcOutbox.store(pool(url), StoreOptions.defaults()));
    }

    private HikariDataSource pool(String url) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(3);
        config.setConnectionTimeout(15_000);
        HikariDataSource pool = new HikariDataSource(config);
        pools.add(pool);
        return pool;
    }

    void commit(int partition, String text) throws Exception {
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            JdbcOutbox.persist(connection).persist(StoreTest.message(partition, text));
            connection.commit();
        }
    }

    private static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - deadline < 0, what + " within " + PATIENCE);
            LockSupport.parkNanos(50_000_000);
        }
    }

    static MessageBatch checkout(Store store) {
        MessageBatch batch = store.checkout(TOPICS, 10);
        assertEquals(1, batch.messages().size());
        assertTrue(batch.isHeld());
        return batch;
    }

    /** A pool that does not test what was used a moment ago may hand out a connection that was cut. */
    private static MessageBatch checkoutAfterACut(Store store) {
        AtomicReference<MessageBatch> batch = new AtomicReference<>();
        await("a checkout", () -> {
            try {
                batch.set(checkout(store));
                return true;
            } catch (StoreException e) {
                return false;
            }
        });
        return Objects.requireNonNull(batch.get());
    }

    /** Until the server has noticed, there is nothing. */
    private static void takeOver(Store other, int count) {
        List<String> taken = new ArrayList<>();
        await("what was held comes to another store", () -> {
            taken.addAll(StoreTest.publishAll(other, 10));
            return taken.size() == count;
        });
    }

    @Test
    void aConnectionThatIsCutIsNoticedWithoutAClose() throws Exception {
        try (TcpProxy network = TcpProxy.before(address);
                Store direct = Stores.open(address)) {
            for (Store store : stores(network.route(address))) {
                for (boolean marked : new boolean[] {true, false}) {
                    commit(0, "a");
                    MessageBatch batch = checkoutAfterACut(store);
                    if (marked) {
                        batch.markPublished(batch.messages().get(0), null);
                    }
                    network.cut();
                    takeOver(direct, 1);
                    await("the end of isHeld", () -> !batch.isHeld());
                    assertTrue(assertThrows(HoldLostException.class, batch::close)
                            .getMessage()
                            .contains("connection was lost"));
                    batch.close();
                }
                store.close();
            }
        }
    }

    /** The machine is gone, or asleep, or a router has forgotten the connection: nobody tells anybody. */
    @Test
    void aMachineThatVanishesIsGivenUp() throws Exception {
        try (Store direct = Stores.open(address);
                TcpProxy network = TcpProxy.before(address)) {
            List<Store> stores = stores(network.route(address));
            List<MessageBatch> batches = batches(stores);
            network.stall();
            takeOver(direct, stores.size());
            for (MessageBatch batch : batches) {
                assertFalse(batch.isHeld(), "isHeld after others could take over");
                assertThrows(HoldLostException.class, batch::close);
            }
            network.heal();
            for (Store store : stores) {
                commit(0, "later");
                await("the store to go on", () -> {
                    try {
                        return !StoreTest.publishAll(store, 10).isEmpty();
                    } catch (StoreException e) {
                        return false; // some of its connections have not heard yet
                    }
                });
                store.close();
            }
        }
    }

    private List<MessageBatch> batches(List<Store> stores) throws Exception {
        List<MessageBatch> batches = new ArrayList<>();
        for (int i = 0; i < stores.size(); i++) {
            commit(i, "of " + i);
            MessageBatch batch = checkout(stores.get(i));
            batch.markFailed(batch.messages().get(0), "no", Duration.ZERO);
            batches.add(batch);
        }
        return batches;
    }

    /** Nobody calls isHeld: a store is used without our relay. */
    @Test
    void aBatchOutlastsTheLimitsOfItsSession() throws Exception {
        String url = limited(address);
        String before = limits(pool(url));
        List<Store> stores = stores(url);
        List<MessageBatch> batches = batches(stores);
        long opened = System.nanoTime();
        await(
                "more than the time for which the server may hear nothing",
                () -> System.nanoTime() - opened > SHORT.toNanos() * 3 / 2);
        batches.forEach(MessageBatch::close);
        assertEquals(2, StoreTest.publishAll(stores.get(0), 10).size());
        for (Store store : stores) {
            StoreTest.publishAll(store, 10);
            store.close();
        }
        for (HikariDataSource pool : pools) {
            assertEquals(before, limits(pool), "limits of the application's sessions");
        }
    }

    private String limits(HikariDataSource pool) throws Exception {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(limits())) {
            row.next();
            return row.getString(1);
        }
    }

    /** Whether a batch is idle or in the middle of its close: the store does not wait until the network is back. */
    @Test
    void aStoreIsClosedInTimeThoughItsServerIsOutOfReach() throws Exception {
        LastAnswer.silence = SILENCE; // the close is to be the first that finds the network gone
        try (TcpProxy network = TcpProxy.before(address);
                Store direct = Stores.open(address)) {
            String url = network.route(address);
            for (boolean own : new boolean[] {true, false}) {
                Store store = own ? Stores.open(url) : JdbcOutbox.store(pool(url), StoreOptions.defaults());
                commit(0, "settled");
                MessageBatch batch = checkout(store);
                batch.markFailed(batch.messages().get(0), "no", Duration.ZERO);
                commit(1, "idle");
                checkout(store);
                network.stall();
                AtomicReference<Throwable> failure = new AtomicReference<>();
                Thread closing = new Thread(() -> {
                    try {
                        batch.close();
                    } catch (OutboxException e) {
                        failure.set(e);
                    }
                });
                closing.start();
                await("a close that waits", () -> isInSocket(closing) || !closing.isAlive());
                Thread closingStore = new Thread(store::close);
                closingStore.start();
                closingStore.join(SILENCE.toMillis() * 5 / 6);
                assertFalse(closingStore.isAlive(), "the store waits until its connections are given up");
                closing.join(PATIENCE.toMillis());
                assertFalse(closing.isAlive(), "the close goes on after that of its store");
                assertNotNull(failure.get());
                network.heal();
                takeOver(direct, 2);
            }
        } finally {
            LastAnswer.silence = SHORT;
        }
    }

    /** The pool of the application may set no limit on the silence of a server. */
    @Test
    void aCloseEndsThoughItsServerIsOutOfReach() throws Exception {
        try (TcpProxy network = TcpProxy.before(address)) {
            for (Store store : stores(network.route(address))) {
                commit(0, "a");
                MessageBatch batch = checkout(store);
                batch.markFailed(batch.messages().get(0), "no", Duration.ZERO);
                network.stall();
                Thread closing = new Thread(() -> assertThrows(OutboxException.class, batch::close));
                closing.start();
                closing.join(PATIENCE.toMillis());
                assertFalse(closing.isAlive(), "the close goes on");
                network.heal();
                try (Store direct = Stores.open(address)) {
                    takeOver(direct, 1);
                }
                store.close();
            }
        }
    }

    /** Also over a pool whose connections have no limit of their own. */
    @Test
    void aSearchEndsThoughItsServerIsOutOfReach() throws Exception {
        try (TcpProxy network = TcpProxy.before(address)) {
            for (Store store : stores(network.route(address))) {
                assertTrue(StoreTest.publishAll(store, 10).isEmpty(), "nothing to be found");
                List<Thread> asking = new ArrayList<>();
                network.stall();
                for (Runnable question : List.<Runnable>of(
                        () -> StoreTest.publishAll(store, 10),
                        () -> Operations.of(store).backlog())) {
                    Thread thread = new Thread(() -> assertThrows(StoreException.class, question::run));
                    thread.start();
                    asking.add(thread);
                }
                for (Thread thread : asking) {
                    thread.join(PATIENCE.toMillis());
                    assertFalse(thread.isAlive(), "it waits for a server that does not answer");
                }
                network.heal();
                store.close();
            }
        }
    }

    /** DDL waits for an open batch, and must not make its close fail. */
    @Test
    void aBatchIsClosedWhileDdlWaitsForIt() throws Exception {
        try (Store store = Stores.open(address)) {
            commit(0, "a");
            MessageBatch batch = checkout(store);
            batch.markPublished(batch.messages().get(0), null);
            FutureTask<Boolean> done = new FutureTask<>(() -> {
                try (Connection connection = DriverManager.getConnection(address);
                        Statement statement = connection.createStatement()) {
                    return statement.execute("ALTER TABLE outbox_message ADD COLUMN of_mine int");
                }
            });
            Thread ddl = new Thread(done);
            ddl.start();
            while (!waits("of_mine int")) {
                assertTrue(ddl.isAlive(), "the DDL did not wait");
                LockSupport.parkNanos(10_000_000);
            }
            batch.close();
            done.get(60, TimeUnit.SECONDS);
            assertTrue(StoreTest.publishAll(store, 10).isEmpty(), "it was settled");
        }
    }

    /** Whether a statement with this text waits for a lock. */
    abstract boolean waits(String text) throws SQLException;

    boolean isOne(String query) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            return row.next() && row.getInt(1) == 1;
        }
    }

    private static boolean isInSocket(Thread thread) {
        return Stream.of(thread.getStackTrace())
                .anyMatch(frame -> frame.getClassName().contains("SocketInputStream")
                        || frame.getClassName().contains("NioSocketImpl"));
    }

    /**
     * Each of them is waited for, and the sessions of the others must not end meanwhile, nor one that begins while the
     * first of them are waited for, and others die.
     */
    @Test
    void manyConnectionsThatAreDeadDelayNoSignOfLifeOfOthers() throws Exception {
        try (Store direct = Stores.open(address);
                TcpProxy first = TcpProxy.before(address);
                TcpProxy second = TcpProxy.before(address)) {
            AtomicReference<String> route = new AtomicReference<>(address);
            DataSource mixed = (DataSource) Proxy.newProxyInstance(
                    HoldTest.class.getClassLoader(),
                    new Class<?>[] {DataSource.class},
                    (proxy, method, arguments) -> switch (method.getName()) {
                        case "getConnection" -> DriverManager.getConnection(route.get());
                        case "isWrapperFor" -> false;
                        default -> throw new UnsupportedOperationException(method.getName());
                    });
            try (Store store = JdbcOutbox.store(mixed, StoreOptions.defaults())) {
                List<MessageBatch> dead = new ArrayList<>();
                for (int i = 0; i < 12; i++) {
                    route.set((i % 2 == 0 ? first : second).route(address));
                    commit(i, "of " + i);
                    dead.add(checkout(store));
                }
                route.set(address);
                commit(12, "alive");
                MessageBatch alive = checkout(store);
                alive.markPublished(alive.messages().get(0), null);
                first.stall();
                await("the first is found dead", () -> dead.stream().anyMatch(batch -> !batch.isHeld()));
                commit(13, "later");
                MessageBatch later = store.checkout(TOPICS, 10);
                int free = later.messages().size() - 1; // of those that are found dead, which the server may hear of
                assertTrue(later.messages().stream().map(StoreTest::text).anyMatch("later"::equals));
                later.messages().forEach(message -> later.markPublished(message, null));
                second.stall();
                takeOver(direct, dead.size() - free);
                alive.close();
                later.close();
                for (MessageBatch batch : dead) {
                    assertThrows(HoldLostException.class, batch::close);
                }
            }
        }
    }

    /** As pools do with what they take for abandoned. */
    @Test
    void aConnectionThatThePoolTakesAwayIsNoticedAtOnce() throws Exception {
        Taken pool = new Taken(address);
        commit(0, "a");
        try (Store store = JdbcOutbox.store(pool.source(), StoreOptions.defaults());
                Store direct = Stores.open(address)) {
            MessageBatch batch = checkout(store);
            batch.markPublished(batch.messages().get(0), null);
            pool.takeAway();
            assertFalse(batch.isHeld());
            takeOver(direct, 1);
            assertThrows(HoldLostException.class, batch::close);
        }
    }
}
