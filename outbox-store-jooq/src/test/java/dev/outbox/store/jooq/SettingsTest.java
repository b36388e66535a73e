package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.ConfigurationException;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.store.jooq.internal.StoreOpener;
import dev.outbox.tck.StoreHarness;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * Settings that are recommended somewhere, in URLs and of pools: with each of them an outbox works, or says when it is opened
 * why not. Writers have the same setting. On every database.
 */
@Timeout(300)
abstract class SettingsTest {
    private static final Set<String> TOPICS = Set.of(StoreTest.TOPIC);

    private final StoreHarness harness;

    SettingsTest(StoreHarness harness) {
        this.harness = harness;
    }

    /** Parameters as they stand in a URL, several of them joined as they are there. */
    abstract List<String> harmless();

    /** Those with which a store is not opened, each with a part of what is said, and a third text if that is so over a pool alone. */
    abstract List<String[]> refused();

    /** The URL with a parameter. */
    String with(String url, String parameter) {
        return url + "&" + parameter;
    }

    @TestFactory
    Stream<DynamicTest> parametersOfTheUrl() throws Exception {
        String address = harness.createOutbox();
        List<DynamicTest> tests = new ArrayList<>();
        for (String parameter : harmless()) {
            String url = with(address, parameter);
            tests.add(DynamicTest.dynamicTest("own " + parameter, () -> {
                try (Store store = Stores.open(url)) {
                    exercise(url, store);
                }
            }));
            tests.add(DynamicTest.dynamicTest("pool " + parameter, () -> overPool(url, config -> {})));
        }
        for (String[] refused : refused()) {
            String url = with(address, refused[0]);
            tests.add(DynamicTest.dynamicTest("refused " + refused[0], () -> {
                if (refused.length == 2) {
                    assertRefused(refused[1], () -> Stores.open(url).close());
                } else {
                    try (Store store = Stores.open(url)) {
                        exercise(url, store);
                    }
                }
                assertRefused(refused[1], () -> overPool(url, config -> {}));
            }));
        }
        return tests.stream().onClose(() -> drop(address));
    }

    @TestFactory
    Stream<DynamicTest> settingsOfPools() throws Exception {
        String address = harness.createOutbox();
        List<DynamicTest> tests = new ArrayList<>();
        tests.add(pool(address, "autoCommit=false", config -> config.setAutoCommit(false)));
        tests.add(pool(address, "leakDetectionThreshold", config -> config.setLeakDetectionThreshold(2_000)));
        tests.add(pool(address, "isolateInternalQueries", config -> config.setIsolateInternalQueries(true)));
        tests.add(pool(address, "keepaliveTime", config -> config.setKeepaliveTime(30_000)));
        for (String isolation : List.of("READ_UNCOMMITTED", "READ_COMMITTED", "REPEATABLE_READ", "SERIALIZABLE")) {
            tests.add(pool(address, isolation, config -> config.setTransactionIsolation("TRANSACTION_" + isolation)));
            tests.add(pool(address, isolation + ", autoCommit=false", config -> {
                config.setTransactionIsolation("TRANSACTION_" + isolation);
                config.setAutoCommit(false);
            }));
        }
        return tests.stream().onClose(() -> drop(address));
    }

    private static DynamicTest pool(String address, String name, Consumer<HikariConfig> setting) {
        return DynamicTest.dynamicTest(name, () -> overPool(address, setting));
    }

    private void drop(String address) {
        try {
            harness.dropOutbox(address);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static void overPool(String url, Consumer<HikariConfig> setting) throws Exception {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(3);
        setting.accept(config);
        try (HikariDataSource pool = new HikariDataSource(config);
                Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            exercise(url, store);
        } finally {
            DriverManager.setLoginTimeout(0); // which the pool has set for the whole process
        }
    }

    interface StoreOpener {
        void run() throws Exception;
    }

    private static void assertRefused(String reason, StoreOpener opening) throws Exception {
        try {
            opening.run();
        } catch (ConfigurationException e) {
            assertTrue(String.valueOf(e.getMessage()).contains(reason), e.getMessage());
            return;
        }
        throw new AssertionError("was opened");
    }

    private static void write(String url, boolean commit, String... texts) throws Exception {
        try (Connection connection = DriverManager.getConnection(url)) {
            connection.setAutoCommit(false);
            PersistFunc persist = JdbcOutbox.persist(connection);
            List<OutgoingMessage> messages = new ArrayList<>();
            for (String text : texts) {
                messages.add(StoreTest.message(text.charAt(0) - '0', text));
            }
            Set<String> ids = new LinkedHashSet<>(persist.persistAll(messages.subList(1, messages.size())));
            ids.add(persist.persist(messages.get(0)));
            assertEquals(messages.size(), ids.size());
            if (commit) {
                connection.commit();
            } else {
                connection.rollback();
            }
        }
    }

    /** What relays do, twice, since drivers prepare what comes again. */
    private static void exercise(String url, Store store) throws Exception {
        Operations operations = Operations.of(store);
        while (!StoreTest.publishAll(store, 100).isEmpty()) {
            // what a test that failed has left
        }
        operations.discard(operations.deadLetters(StoreTest.TOPIC, null, 100).stream()
                .map(letter -> letter.message().id())
                .toList());
        for (int round = 0; round < 2; round++) {
            write(url, false, "0 never", "1 never", "2 never");
            write(url, true, "1 a", "0 a", "0 b", "0 c");
            assertEquals(2, operations.backlog().size());
            try (MessageBatch batch = store.checkout(TOPICS, 10)) {
                assertEquals(4, batch.messages().size());
                for (var message : batch.messages()) {
                    switch (StoreTest.text(message)) {
                        case "0 a" -> batch.markFailed(message, "é ☃ '\"\\", Duration.ZERO);
                        case "1 a" -> batch.deadLetter(message, "poison");
                        default -> assertTrue(message.partition() == 0);
                    }
                }
                assertTrue(batch.isHeld());
                assertEquals(List.of(), store.checkout(TOPICS, 10).messages());
            }
            assertEquals("é ☃ '\"\\", operations.failingPartitions().get(0).reason());
            String dead = operations
                    .deadLetters(StoreTest.TOPIC, null, 10)
                    .get(0)
                    .message()
                    .id();
            assertEquals(1, operations.redrive(List.of(dead)));
            List<String> came = new ArrayList<>();
            List<String> batch;
            do {
                batch = StoreTest.publishAll(store, 10);
                came.addAll(batch);
            } while (!batch.isEmpty());
            came.sort(null);
            assertEquals(List.of("0 a", "0 b", "0 c", "1 a"), came);
            assertEquals(List.of(), operations.failingPartitions());
            assertEquals(List.of(), operations.backlog());
        }
    }
}
