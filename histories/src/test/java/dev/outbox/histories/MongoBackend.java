package dev.outbox.histories;

import com.mongodb.ConnectionString;
import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.Updates;
import dev.outbox.OutgoingMessage;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.processes.Await;
import dev.outbox.processes.SharedLog;
import dev.outbox.servers.MongoServer;
import dev.outbox.store.mongo.MongoOutbox;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.bson.Document;
import org.bson.conversions.Bson;
import org.jspecify.annotations.Nullable;

/** MongoDB of three members, with a user for relays, and one for the application. */
final class MongoBackend implements Backend {
    /** A lease is what partitions wait for whose relay is gone; longer than a failover takes. */
    private static final Map<String, String> OPTIONS = Map.of("leaseMillis", "6000");

    private static final String SHOP = "shop";
    private static final Bson OF_ODD =
            Filters.and(Filters.eq("topic", Odd.TOPIC), Filters.eq("partition", Odd.PARTITION));

    private final MongoServer server;
    private final String url;
    private final String name;
    private final MongoClient client;
    private final MongoDatabase database;
    private final Odd odd;

    MongoBackend(SharedLog<Line> log) throws Exception {
        server = MongoServer.packaged(3);
        url = server.newDatabase();
        name = Objects.requireNonNull(new ConnectionString(url).getDatabase());
        client = MongoClients.create(url + "&socketTimeoutMS=20000");
        database = client.getDatabase(name);
        odd = new Odd(log);
        MongoOutbox.createSchema(database);
        database.createCollection(SHOP);
        for (String user : List.of("relay", "app")) {
            admin(new Document("createUser", user).append("pwd", user).append("roles", roles("readWrite")));
        }
    }

    private List<Document> roles(String role) {
        return List.of(new Document("role", role).append("db", name));
    }

    private void admin(Document command) {
        client.getDatabase("admin").runCommand(command);
    }

    @Override
    public String name() {
        return "mongo";
    }

    private Way way(String user, String more) throws IOException {
        return new SocksWay(
                url.replace("root:mongo@", user + ":" + user + "@") + more, "&proxyHost=127.0.0.1&proxyPort=%d");
    }

    @Override
    public Way wayOfRelay() throws IOException {
        return way("relay", "");
    }

    @Override
    public Way wayOfWriters() throws IOException {
        return way("app", "&serverSelectionTimeoutMS=5000&socketTimeoutMS=10000&connectTimeoutMS=5000");
    }

    @Override
    public Map<String, String> options() {
        return OPTIONS;
    }

    @Override
    public Application connect(Way way) {
        return new Client(MongoClients.create(way.url()), name);
    }

    @Override
    public Set<String> committed() {
        Set<String> names = new HashSet<>();
        MongoCollection<Document> shop = database.getCollection(SHOP);
        shop.find().forEach(row -> names.add(row.getString("_id")));
        return names;
    }

    @Override
    public Store administrator() {
        return Stores.open(url, StoreOptions.of(OPTIONS));
    }

    @Override
    public boolean asksWhetherClientsAreThere() {
        return false;
    }

    @Override
    public List<Fault> faults() {
        AtomicInteger victim = new AtomicInteger();
        return List.of(
                Fault.ofAll("primary killed", () -> server.kill(primary(victim)), () -> server.restart(victim.get())),
                Fault.ofAll(
                        "primary stands still", () -> server.pause(primary(victim)), () -> server.resume(victim.get())),
                Fault.ofAll("primary steps down", time -> insist("step down", server::stepDown)),
                Fault.ofAll(
                        "majority lost",
                        () -> {
                            primary(victim);
                            server.kill((victim.get() + 1) % 3);
                            server.kill((victim.get() + 2) % 3);
                        },
                        () -> {
                            server.restart((victim.get() + 1) % 3);
                            server.restart((victim.get() + 2) % 3);
                        }),
                Fault.ofAll("sessions ended", time -> insistOn(new Document("killAllSessions", List.of()))),
                Fault.ofAll(
                        "relays may only read",
                        () -> insistOn(new Document("updateUser", "relay").append("roles", roles("read"))),
                        () -> insistOn(new Document("updateUser", "relay").append("roles", roles("readWrite")))),
                Fault.ofAll(
                        "right to write withdrawn",
                        () -> insistOn(new Document("updateUser", "app").append("roles", roles("read"))),
                        () -> insistOn(new Document("updateUser", "app").append("roles", roles("readWrite")))),
                Fault.ofAll(
                        "partitions refused",
                        () -> validate("outbox_partitions", true),
                        () -> validate("outbox_partitions", false)),
                Fault.ofAll(
                        "dead letters refused",
                        () -> validate("outbox_dead_letters", true),
                        () -> validate("outbox_dead_letters", false)),
                Fault.ofAll(
                        "short transactions only",
                        () -> insistOn(new Document("setParameter", 1).append("transactionLifetimeLimitSeconds", 1)),
                        () -> insistOn(new Document("setParameter", 1).append("transactionLifetimeLimitSeconds", 60))),
                Fault.ofAll(
                        "collections created by another",
                        time -> insist("create collections", () -> MongoOutbox.createSchema(database))),
                Fault.ofAll("a document that cannot be read", this::spoil).concerning(Odd.PLACE));
    }

    /** Waits until there is one, and keeps its number. */
    private int primary(AtomicInteger found) throws Exception {
        Await.until("a primary", Verdict.PATIENCE, () -> {
            int primary = server.primary();
            found.set(primary);
            return primary >= 0;
        });
        return found.get();
    }

    private static void insist(String what, Runnable step) throws Exception {
        Await.until(what, Verdict.PATIENCE.multipliedBy(2), () -> {
            try {
                step.run();
                return true;
            } catch (RuntimeException e) { // no primary, or another
                return false;
            }
        });
    }

    private void insistOn(Document command) throws Exception {
        insist(command.toJson(), () -> admin(command));
    }

    private void validate(String collection, boolean refuses) throws Exception {
        Document validator = refuses ? new Document("never", new Document("$exists", true)) : new Document();
        insist(
                collection,
                () -> database.runCommand(new Document("collMod", collection).append("validator", validator)));
    }

    private void spoil(Duration time) throws Exception {
        try (Client application = new Client(MongoClients.create(url), name)) {
            try {
                odd.write(
                        application,
                        () -> {},
                        () -> application
                                .messages()
                                .updateMany(application.session(), OF_ODD, Updates.set("headers", 5)));
            } catch (MongoException e) {
                // then another time
            }
        }
        Await.passed(time);
        insist("repair", () -> database.getCollection("outbox_messages").updateMany(OF_ODD, Updates.unset("headers")));
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }

    /** A connection of the application. */
    private static final class Client implements Application {
        private final MongoClient client;
        private final MongoDatabase database;
        private @Nullable ClientSession session;

        Client(MongoClient client, String database) {
            this.client = client;
            this.database = client.getDatabase(database);
        }

        ClientSession session() {
            return Objects.requireNonNull(session);
        }

        MongoCollection<Document> messages() {
            return database.getCollection("outbox_messages");
        }

        @Override
        public void begin(String transaction) {
            ClientSession begun = client.startSession();
            session = begun;
            begun.startTransaction();
            database.getCollection(SHOP).insertOne(begun, new Document("_id", transaction));
        }

        @Override
        public String persist(OutgoingMessage message) {
            return MongoOutbox.persist(session(), database).persist(message);
        }

        @Override
        public @Nullable Object savepoint() {
            return null;
        }

        @Override
        public void back(Object savepoint) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Story.Ending commit() {
            session().commitTransaction();
            session().close();
            return Story.Ending.COMMITTED;
        }

        @Override
        public void rollback() {
            session().abortTransaction();
            session().close();
        }

        @Override
        public void close() {
            if (session != null) {
                session.close();
            }
            client.close();
        }
    }
}
