package dev.outbox.store.mongo;

import static dev.outbox.store.mongo.TestOutbox.message;
import static dev.outbox.store.mongo.TestOutbox.publishAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.MongoException;
import com.mongodb.ServerApi;
import com.mongodb.ServerApiVersion;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.model.Collation;
import com.mongodb.client.model.CollationStrength;
import com.mongodb.client.model.CreateCollectionOptions;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.IndexOptions;
import com.mongodb.client.model.Indexes;
import com.mongodb.client.model.ValidationOptions;
import dev.outbox.Capability;
import dev.outbox.ConfigurationException;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.WakeUps;
import dev.outbox.servers.MongoServer;
import dev.outbox.servers.StandardError;
import dev.outbox.store.support.Surroundings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.bson.BsonInt32;
import org.bson.BsonTimestamp;
import org.bson.BsonValue;
import org.bson.Document;
import org.bson.types.ObjectId;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is set up wrongly is said at once, in words that help, and without a password. */
@Tag("mongo")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MongoOpeningTest {
    private static final String SECRET = "s3cr3t";

    private static MongoServer server;
    private static MongoServer standalone;
    private static TestOutbox outbox;

    @BeforeAll
    static void start() throws Exception {
        server = MongoServer.packaged(1);
        standalone = MongoServer.standalone();
        outbox = new TestOutbox(server);
    }

    @AfterAll
    static void stop() {
        outbox.close();
        server.close();
        standalone.close();
    }

    private static <E extends OutboxException> String refusal(Class<E> type, String url, StoreOptions options) {
        E error = assertThrows(type, () -> Stores.open(url, options).close());
        for (Throwable each = error; each != null; each = each.getCause()) {
            assertFalse(each.toString().contains(SECRET), "the password is in " + each);
        }
        return error.getMessage();
    }

    private static void assertContains(String part, String text) {
        assertTrue(text.contains(part), "expected '" + part + "' in: " + text);
    }

    @Test
    void aStandaloneServerIsRefused() {
        String said = refusal(
                ConfigurationException.class,
                standalone.newDatabase(),
                StoreOptions.defaults().withCreateSchema(true));
        assertContains("rs.initiate()", said);
    }

    @Test
    void persistOnAStandaloneServerSaysWhatIsWrong() {
        try (MongoClient client = MongoClients.create(standalone.url());
                ClientSession session = client.startSession()) {
            session.startTransaction();
            PersistFunc persist = MongoOutbox.persist(session, client.getDatabase("app"));
            ConfigurationException error =
                    assertThrows(ConfigurationException.class, () -> persist.persist(message(0, "m")));
            assertContains("rs.initiate()", error.getMessage());
        }
    }

    @Test
    void aServerThatIsNotThereIsNamed() {
        String said = refusal(
                StoreException.class,
                "mongodb://app:" + SECRET + "@127.0.0.1:1/app?serverSelectionTimeoutMS=500",
                StoreOptions.defaults());
        assertContains("127.0.0.1:1/app", said);
        assertContains("no server could be reached", said);
    }

    @Test
    void aReplicaSetOfAnotherNameIsNotReached() {
        String url = outbox.url.replace("replicaSet=rs0", "replicaSet=other&serverSelectionTimeoutMS=500");
        assertContains("replicaSet=", refusal(StoreException.class, url, StoreOptions.defaults()));
    }

    @Test
    void wrongCredentialsAreRefused() {
        String url = outbox.url.replace("root:mongo@", "root:" + SECRET + "@");
        assertContains("password", refusal(ConfigurationException.class, url, StoreOptions.defaults()));
        String withoutAny = outbox.url.replace("root:mongo@", "");
        assertContains("may not", refusal(ConfigurationException.class, withoutAny, StoreOptions.defaults()));
        assertContains(
                "password",
                refusal(
                        ConfigurationException.class,
                        withoutAny,
                        StoreOptions.defaults().withUser("root").withPassword(SECRET)));
        assertContains(
                "expected both",
                refusal(
                        ConfigurationException.class,
                        withoutAny,
                        StoreOptions.defaults().withPassword(SECRET)));
    }

    @Test
    void credentialsMayComeAsOptions() {
        String url = outbox.url.replace("root:mongo@", "");
        try (Store store =
                Stores.open(url, StoreOptions.defaults().withUser("root").withPassword("mongo"))) {
            assertEquals(List.of(), publishAll(store));
        }
        String wrong = outbox.url.replace("root:mongo@", "root:" + SECRET + "@");
        try (Store store = Stores.open(wrong, StoreOptions.defaults().withPassword("mongo"))) {
            assertEquals(List.of(), publishAll(store));
        }
    }

    @Test
    void aUserWhoMayOnlyReadIsRefused() {
        String url = user("reader", List.of("find", "listIndexes", "changeStream"));
        String said = refusal(ConfigurationException.class, url, StoreOptions.defaults());
        assertContains("insert, update and remove", said);
    }

    @Test
    void whoMayNotWatchHasNoWakeUpsAndAllTheRest() {
        String url = user("worker", List.of("find", "insert", "update", "remove", "listIndexes"));
        AtomicReference<Store> opened = new AtomicReference<>();
        String log = StandardError.during(() -> opened.set(Stores.open(url)));
        try (Store store = Objects.requireNonNull(opened.get())) {
            List<String> lines =
                    log.lines().filter(line -> line.contains("No wake-ups")).toList();
            assertEquals(1, lines.size(), "lines in the log that say so: " + log);
            assertContains("changeStream", lines.get(0));
            String reason = store.capabilities().reasonWithout(Capability.WAKE_UP);
            assertContains("changeStream", Objects.requireNonNull(reason));
            outbox.commit(0, "1");
            assertEquals(List.of("1"), publishAll(store));
        }
        String allowed = user("watcher", List.of("find", "insert", "update", "remove", "listIndexes", "changeStream"));
        try (Store store = Stores.open(allowed)) {
            assertTrue(store.capabilities().has(Capability.WAKE_UP));
        }
        try (Store store = Stores.open(allowed, StoreOptions.defaults().withWakeUp(false))) {
            assertContains(
                    "wakeUp=false",
                    assertThrows(ConfigurationException.class, () -> WakeUps.of(store))
                            .getMessage());
        }
    }

    @Test
    void missingCollectionsAndIndexesAreNamedAndCreatedWhereAskedFor() {
        String url = server.newDatabase();
        assertContains("createSchema=true", refusal(ConfigurationException.class, url, StoreOptions.defaults()));
        Stores.open(url, StoreOptions.defaults().withCreateSchema(true)).close();
        Stores.open(url).close();
        try (MongoClient client = MongoClients.create(url)) {
            client.getDatabase(MongoHarness.database(url))
                    .getCollection("outbox_messages")
                    .dropIndexes();
        }
        assertContains("index", refusal(ConfigurationException.class, url, StoreOptions.defaults()));
        Stores.open(url, StoreOptions.defaults().withCreateSchema(true)).close();
        server.dropDatabase(url);
    }

    /** Settings that others recommend, or that a URL has for another reason. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "readPreference=secondary",
                "readPreference=secondaryPreferred&readPreferenceTags=dc:none&maxStalenessSeconds=120",
                "w=1&journal=false",
                "w=0",
                "readConcernLevel=majority",
                "retryWrites=false&retryReads=false",
                "maxPoolSize=1",
                "maxPoolSize=1&waitQueueTimeoutMS=20000",
                "maxIdleTimeMS=1",
                "maxLifeTimeMS=10",
                "minPoolSize=3",
                "directConnection=true",
                "compressors=zlib",
                "uuidRepresentation=javaLegacy",
                "uuidRepresentation=unspecified",
                "serverSelectionTimeoutMS=0",
                "serverSelectionTimeoutMS=1",
                "serverSelectionTimeoutMS=-1",
                "socketTimeoutMS=0",
                "socketTimeoutMS=20000",
                "heartbeatFrequencyMS=500",
                "localThresholdMS=0",
                "serverMonitoringMode=poll",
                "timeoutMS=60000",
                "appName=shop"
            })
    void settingsThatDoNoHarm(String parameters) throws Exception {
        String url = outbox.url.contains("directConnection") || !parameters.contains("directConnection")
                ? outbox.url
                : outbox.url.replace("&replicaSet=rs0", "");
        try (Store store = Stores.open(TestOutbox.with(parameters, url))) {
            assertTrue(store.capabilities().has(Capability.WAKE_UP));
            int[] calls = {0};
            WakeUps.Subscription subscription = WakeUps.of(store).onWakeUp(() -> {
                synchronized (calls) {
                    calls[0]++;
                }
            });
            outbox.commit(0, "fails");
            try (MessageBatch batch = store.checkout(Set.of(TestOutbox.TOPIC), 10)) {
                batch.messages().forEach(m -> batch.markFailed(m, "away", Duration.ZERO));
            }
            assertEquals(1, Operations.of(store).failingPartitions().size());
            try (MessageBatch batch = store.checkout(Set.of(TestOutbox.TOPIC), 10)) {
                batch.messages().forEach(m -> batch.deadLetter(m, "poison"));
            }
            String dead = Operations.of(store)
                    .deadLetters(TestOutbox.TOPIC, null, 10)
                    .get(0)
                    .message()
                    .id();
            assertEquals(1, Operations.of(store).redrive(List.of(dead)));
            assertEquals(List.of("fails"), publishAll(store));
            awaitCall(outbox, calls, "a message");
            subscription.close();
            TestOutbox.eventually("all is published", () -> publishAll(store).isEmpty() ? true : null);
        }
    }

    @Test
    void aTimeoutThatNothingCanKeepIsRefused() {
        String url = TestOutbox.with("socketTimeoutMS=100", outbox.url);
        assertContains("socketTimeoutMS", refusal(ConfigurationException.class, url, StoreOptions.defaults()));
    }

    /** It may not ask for all that other clients may. */
    @Test
    void aClientOfTheStrictApi() {
        MongoClientSettings settings = MongoClientSettings.builder()
                .applyConnectionString(new ConnectionString(outbox.url))
                .serverApi(ServerApi.builder()
                        .version(ServerApiVersion.V1)
                        .strict(true)
                        .build())
                .build();
        try (MongoClient client = MongoClients.create(settings);
                Store store = MongoOutbox.store(client, outbox.name(), StoreOptions.defaults())) {
            outbox.commit(0, "1", "2");
            assertEquals(1, Operations.of(store).backlog().size());
            assertEquals(List.of("1", "2"), publishAll(store));
            assertEquals(List.of(), Operations.of(store).failingPartitions());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"view", "capped", "validator", "collation"})
    void collectionsThatAreNotOrdinaryAreRefused(String kind) {
        try (TestOutbox other = new TestOutbox(server)) {
            other.database.getCollection("outbox_messages").drop();
            CreateCollectionOptions options = new CreateCollectionOptions();
            switch (kind) {
                case "view" -> other.database.createView("outbox_messages", "outbox_partitions", List.of());
                case "capped" ->
                    other.database.createCollection(
                            "outbox_messages", options.capped(true).sizeInBytes(1 << 20));
                case "validator" ->
                    other.database.createCollection(
                            "outbox_messages",
                            options.validationOptions(
                                    new ValidationOptions().validator(Filters.exists("orderNumber"))));
                default ->
                    other.database.createCollection(
                            "outbox_messages",
                            options.collation(Collation.builder()
                                    .locale("en")
                                    .collationStrength(CollationStrength.PRIMARY)
                                    .build()));
            }
            String said = refusal(
                    ConfigurationException.class,
                    other.url,
                    StoreOptions.defaults().withCreateSchema(true));
            assertContains(kind.equals("collation") ? "collation" : "ordinary collections", said);
        }
    }

    @Test
    void openingLeavesNothingBehind() {
        try (TestOutbox other = new TestOutbox(server)) {
            ObjectId old = new ObjectId((int) (System.currentTimeMillis() / 1000) - 3600, 0);
            other.database
                    .getCollection("outbox_messages")
                    .insertOne(new Document("_id", old).append("topic", 0).append("partition", 0));
            other.database
                    .getCollection("outbox_partitions")
                    .insertOne(new Document("_id", "?rehearsal-" + old.toHexString() + "/0"));
            Stores.open(other.url).close();
            for (String collection : List.of("messages", "partitions", "dead_letters")) {
                assertEquals(
                        0, other.database.getCollection("outbox_" + collection).countDocuments(), collection);
            }
        }
    }

    /** What servers do that imitate MongoDB. */
    @Test
    void positionsThatAreNoneAreRefused() {
        BsonValue early = new BsonTimestamp(5, 1);
        BsonValue late = new BsonTimestamp(5, 2);
        BsonValue none = new BsonTimestamp(0, 0);
        Rehearsal.requireRising(List.of(early, late));
        for (List<BsonValue> wrong : List.of(
                List.of(late, early),
                List.of(early, early),
                List.of(none, none),
                List.<BsonValue>of(early),
                List.<BsonValue>of(new BsonInt32(1), new BsonInt32(2)))) {
            assertContains(
                    "imitate",
                    assertThrows(ConfigurationException.class, () -> Rehearsal.requireRising(wrong))
                            .getMessage());
        }
    }

    @Test
    void manyMayCreateAndOpenAtOnce() throws Exception {
        int openers = 8;
        String url = server.newDatabase();
        ExecutorService threads = Executors.newFixedThreadPool(openers);
        CyclicBarrier together = new CyclicBarrier(openers);
        try {
            List<Future<?>> tasks = new ArrayList<>();
            for (int i = 0; i < openers; i++) {
                tasks.add(threads.submit(() -> {
                    together.await();
                    Stores.open(url, StoreOptions.defaults().withCreateSchema(true))
                            .close();
                    return true;
                }));
            }
            for (Future<?> task : tasks) {
                task.get();
            }
        } finally {
            threads.shutdownNow();
        }
        Stores.open(url).close();
        server.dropDatabase(url);
    }

    /** As the documentation has it; the server otherwise looks once a minute. */
    @Test
    void deadLettersGoByThemselvesWhereThatIsWanted() throws Exception {
        try (MongoClient client = MongoClients.create(server.url());
                TestOutbox other = new TestOutbox(server);
                Store store = Stores.open(other.url)) {
            client.getDatabase("admin").runCommand(new Document("setParameter", 1).append("ttlMonitorSleepSecs", 1));
            other.commit(0, "1");
            try (MessageBatch batch = store.checkout(Set.of(TestOutbox.TOPIC), 10)) {
                batch.deadLetter(batch.messages().get(0), "unreadable");
            }
            assertEquals(
                    1,
                    Operations.of(store).deadLetters(TestOutbox.TOPIC, null, 10).size());
            other.database
                    .getCollection("outbox_dead_letters")
                    .createIndex(Indexes.ascending("diedAt"), new IndexOptions().expireAfter(1L, TimeUnit.SECONDS));
            TestOutbox.eventually(
                    "the dead letter is gone",
                    () -> Operations.of(store)
                                    .deadLetters(TestOutbox.TOPIC, null, 10)
                                    .isEmpty()
                            ? true
                            : null);
        }
    }

    /** The server looks for such transactions now and then, so it takes a little longer than its limit. */
    @Test
    void aTransactionThatTookTooLongSaysSo() throws Exception {
        try (MongoClient client = MongoClients.create(server.url());
                ClientSession session = outbox.client.startSession()) {
            client.getDatabase("admin")
                    .runCommand(new Document("setParameter", 1).append("transactionLifetimeLimitSeconds", 1));
            try {
                session.startTransaction();
                PersistFunc persist = MongoOutbox.persist(session, outbox.database);
                persist.persist(message(7, "never committed"));
                MongoException error = TestOutbox.eventually("the server ends the transaction", () -> {
                    try {
                        persist.persist(message(7, "never committed"));
                        return null;
                    } catch (MongoException e) {
                        return e;
                    }
                });
                assertContains("transactionLifetimeLimitSeconds", error.toString());
                assertTrue(error.hasErrorLabel(MongoException.TRANSIENT_TRANSACTION_ERROR_LABEL));
            } finally {
                client.getDatabase("admin")
                        .runCommand(new Document("setParameter", 1).append("transactionLifetimeLimitSeconds", 60));
            }
        }
    }

    @Test
    void urlsThatAreNone() {
        String said =
                refusal(ConfigurationException.class, "mongodb://app:" + SECRET + "@db:1:2/x", StoreOptions.defaults());
        assertContains("no URL of MongoDB", said);
        assertContains(
                "no URL of MongoDB",
                refusal(
                        ConfigurationException.class,
                        "mongodb://app:" + SECRET + "@" + SECRET + "@db/x",
                        StoreOptions.defaults()));
        for (String slash : List.of("2024/" + SECRET, SECRET + "/2024")) {
            assertContains(
                    "no URL of MongoDB",
                    refusal(
                            ConfigurationException.class,
                            "mongodb://app:" + slash + "@db.example.com/shop",
                            StoreOptions.defaults()));
        }
        assertContains(
                "names no database",
                refusal(ConfigurationException.class, "mongodb://app:" + SECRET + "@db/", StoreOptions.defaults()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1x", "a$b", "system.x", "a b", "\u00e9"})
    void prefixesThatAreNone(String prefix) {
        assertContains(
                "prefix",
                refusal(
                        ConfigurationException.class,
                        outbox.url,
                        StoreOptions.defaults().withPrefix(prefix)));
        assertThrows(
                ConfigurationException.class, () -> MongoOutbox.named(prefix).createSchema(outbox.database));
    }

    @Test
    void optionsWithoutEffectAreRefused() {
        for (StoreOptions options : List.of(
                StoreOptions.defaults().withUser("app"), StoreOptions.defaults().withPassword(SECRET))) {
            String text = String.valueOf(assertThrows(
                            ConfigurationException.class,
                            () -> MongoOutbox.store(outbox.client, outbox.name(), options))
                    .getMessage());
            assertContains("has no effect here: the client is that of the application", text);
            assertFalse(text.contains(SECRET), text);
        }
    }

    /** A limit that leaves no connection beside those of batches would stop everything; one of the URL that will do is kept. */
    @Test
    void thePoolHasRoomForAllWorkers() {
        String limit = outbox.url + (outbox.url.contains("?") ? "&" : "?") + "maxPoolSize=";
        StoreOptions options = StoreOptions.defaults();
        assertEquals(10_000, StoreOpener.poolSettings(outbox.url, options).getMaxSize(), "no limit");
        assertEquals(10_000, StoreOpener.poolSettings(limit + "0", options).getMaxSize(), "no limit");
        assertEquals(
                10_000,
                StoreOpener.poolSettings(limit + "0&minPoolSize=3", options).getMaxSize(),
                "no limit");
        assertEquals(
                7, StoreOpener.poolSettings(limit + "2&minPoolSize=7", options).getMaxSize());
        assertEquals(5, StoreOpener.poolSettings(limit + "2", options).getMaxSize());
        assertEquals(30, StoreOpener.poolSettings(limit + "30", options).getMaxSize());
    }

    @Test
    void optionsThatAreNone() {
        assertContains(
                "leaseMillis",
                refusal(
                        ConfigurationException.class,
                        outbox.url,
                        StoreOptions.defaults().with("leaseMillis", "999")));
        assertContains(
                "Unknown option",
                refusal(
                        ConfigurationException.class,
                        outbox.url,
                        StoreOptions.defaults().with("lease", "5")));
    }

    /** What is dropped is made again by the next insert, without indexes, and an outbox would seem to be empty. */
    @Test
    void whatIsDroppedUnderAnOpenStoreIsSaid() {
        Duration before = Surroundings.every;
        Surroundings.every = Duration.ZERO;
        try (TestOutbox other = new TestOutbox(server);
                Store store = Stores.open(other.url)) {
            store.checkout(Set.of(TestOutbox.TOPIC), 10).close();
            for (String name : List.of("outbox_messages", "outbox_partitions", "outbox_dead_letters")) {
                other.database.getCollection(name).drop();
                assertSaid(store, "missing are collection " + other.name() + "." + name);
                MongoOutbox.createSchema(other.database);
                assertNotSaid(store);
            }
            other.database.getCollection("outbox_messages").dropIndexes();
            assertSaid(store, "missing are index ");
            MongoOutbox.createSchema(other.database);
            assertNotSaid(store);
        } finally {
            Surroundings.every = before;
        }
    }

    /** What is printed does what is needed. */
    @Test
    void theCodeThatCreatesWhatIsMissingNamesThePrefix() {
        for (String prefix : List.of("outbox_", "shop.events_")) {
            try (TestOutbox other = new TestOutbox(server)) {
                other.database.drop();
                String said = refusal(
                        ConfigurationException.class,
                        other.url,
                        StoreOptions.defaults().withPrefix(prefix));
                assertContains("missing are collection " + other.name() + "." + prefix + "messages", said);
                assertContains(
                        prefix.equals("outbox_")
                                ? "with MongoOutbox.createSchema(database)"
                                : "with MongoOutbox.named(\"shop.events_\").createSchema(database)",
                        said);
            }
        }
    }

    private static void assertSaid(Store store, String what) {
        for (Executable asked : List.<Executable>of(
                () -> store.checkout(Set.of(TestOutbox.TOPIC), 10),
                () -> Operations.of(store).backlog())) {
            String said = assertThrows(StoreException.class, asked).getMessage();
            assertContains("not as it was when the store was opened", said);
            assertContains(what, said);
            assertContains("MongoOutbox.createSchema(database)", said);
        }
    }

    private static void assertNotSaid(Store store) {
        store.checkout(Set.of(TestOutbox.TOPIC), 10).close();
        assertEquals(List.of(), Operations.of(store).backlog());
    }

    /** It costs no batch a round trip. */
    @Test
    void collectionsAreNotLookedAtForEachBatch() {
        try (TestOutbox other = new TestOutbox(server);
                Store store = MongoOutbox.store(other.client, other.name(), StoreOptions.defaults())) {
            other.commands.clear();
            for (int i = 0; i < 20; i++) {
                other.commit(0, "m");
                assertEquals(List.of("m"), TestOutbox.publishAll(store));
            }
            assertFalse(other.commands.names().contains("listIndexes"), "asked by a checkout");
            Operations.of(store).backlog();
            assertTrue(other.commands.names().contains("listIndexes"), "asked for the backlog");
        }
    }

    @Test
    void wakeUpsComeBackWithTheServer() throws Exception {
        try (Store store = Stores.open(outbox.url)) {
            int[] calls = {0};
            WakeUps.Subscription subscription = WakeUps.of(store).onWakeUp(() -> {
                synchronized (calls) {
                    calls[0]++;
                }
            });
            awaitCall(outbox, calls, "first");
            server.kill(0);
            server.restart(0);
            awaitCall(outbox, calls, "after the restart");
            subscription.close();
            TestOutbox.eventually("all is published", () -> publishAll(store).isEmpty() ? true : null);
        }
    }

    /** The server then ends the stream, and says nothing. */
    @Test
    void wakeUpsComeBackWithTheCollection() throws Exception {
        try (TestOutbox other = new TestOutbox(server);
                Store store = Stores.open(other.url)) {
            int[] calls = {0};
            WakeUps.Subscription subscription = WakeUps.of(store).onWakeUp(() -> {
                synchronized (calls) {
                    calls[0]++;
                }
            });
            awaitCall(other, calls, "first");
            other.database.getCollection("outbox_messages").drop();
            MongoOutbox.createSchema(other.database);
            awaitCall(other, calls, "of the new collection");
            subscription.close();
        }
    }

    /** Once the stream is open; what was committed before is found by polling. */
    private static void awaitCall(TestOutbox outbox, int[] calls, String text) throws Exception {
        synchronized (calls) {
            calls[0] = 0;
        }
        TestOutbox.eventually("a wake-up, " + text, () -> {
            outbox.commit(0, text);
            synchronized (calls) {
                return calls[0] > 2 ? true : null;
            }
        });
    }

    /** A user of the outbox's database alone, who may do these things there; returns the URL with them. */
    private static String user(String name, List<String> actions) {
        outbox.database.runCommand(new Document("createRole", name)
                .append(
                        "privileges",
                        List.of(new Document("resource", new Document("db", outbox.name()).append("collection", ""))
                                .append("actions", actions)))
                .append("roles", List.of()));
        outbox.database.runCommand(
                new Document("createUser", name).append("pwd", SECRET).append("roles", List.of(name)));
        return outbox.url
                .replace("root:mongo@", name + ":" + SECRET + "@")
                .replace("authSource=admin", "authSource=" + outbox.name());
    }
}
