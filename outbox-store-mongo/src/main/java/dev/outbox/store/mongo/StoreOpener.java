package dev.outbox.store.mongo;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.MongoConfigurationException;
import com.mongodb.MongoCredential;
import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import com.mongodb.connection.ConnectionPoolSettings;
import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.ConfigurationException;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.internal.Log;
import dev.outbox.spi.Redacted;
import dev.outbox.store.support.Surroundings;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonObjectId;
import org.bson.types.ObjectId;
import org.jspecify.annotations.Nullable;

/** Opens stores, and refuses immediately what would fail later. */
final class StoreOpener {
    private static final Log LOG = Log.of(MongoOutbox.class);

    /** Who asks again has not to be kept waiting; the driver's own 30 seconds keep a shutdown from ending. */
    private static final int SELECTION_SECONDS = 5;

    /** Together with that long enough for an election, of which the server needs up to 12 seconds. */
    private static final int ELECTION_SECONDS = 10;

    private static final int CONNECT_SECONDS = 10;

    /**
     * Longer than anything takes here. Without it a server that vanishes without a word keeps threads for many minutes.
     */
    private static final int READ_SECONDS = 60;

    /** A batch's, the change stream's, one that renews leases, and some more. */
    private static final int LEAST_CONNECTIONS = 5;

    /** No limit that anybody meets. The driver takes 0 for none, but not together with minPoolSize. */
    private static final int MOST_CONNECTIONS = 10_000;

    private static final int LEAST_READ_MILLIS = 2_000;
    private static final int MONGODB_5_0 = 13;
    private static final int MONGODB_8_0 = 25;
    private static final int ATTEMPTS = 5;

    private StoreOpener() {}

    static Store store(MongoClient client, String database, StoreOptions options) {
        String why = "the client is that of the application";
        options.refuse(StoreOptions.USER, why + ", and logs in by itself");
        options.refuse(StoreOptions.PASSWORD, why + ", and logs in by itself");
        Settings settings = Settings.of(options);
        return open(client, database, settings, "Opening the outbox in database " + database, null);
    }

    static Store store(String url, StoreOptions options) {
        ConnectionString address = address(url);
        String database = address.getDatabase();
        String shown = shown(url, address);
        if (database == null) {
            throw new ConfigurationException(
                    "The URL " + shown + " names no database: expected mongodb://host/database?replicaSet=name");
        }
        if (database.contains("@") || database.contains(":")) {
            throw notReadable(); // the password has a slash, and the rest of it was taken for the database
        }
        Settings settings = Settings.of(options);
        MongoClient client;
        try {
            client = MongoClients.create(settings(address, options));
        } catch (IllegalArgumentException | MongoException e) {
            throw StoreErrors.of("Connecting to " + shown, e);
        }
        try {
            // The driver has only begun to look. If none is there then, it will be said.
            boolean usual = address.getServerSelectionTimeout() == null;
            new Primary(client).await(Duration.ofSeconds(usual ? ELECTION_SECONDS : 1));
            return open(client, database, settings, "Opening the outbox at " + shown, client);
        } catch (RuntimeException | Error e) {
            client.close();
            throw e;
        }
    }

    /** What the driver says of an address that it cannot read may show a part of it, and that may be the password. */
    private static ConnectionString address(String url) {
        try {
            return new ConnectionString(url);
        } catch (MongoConfigurationException e) {
            throw new ConfigurationException(
                    "The hosts of a mongodb+srv: URL cannot be looked up in the DNS. " + e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            throw notReadable();
        }
    }

    /** With an at sign after the hosts, what was taken for them may be a part of the user and password. */
    private static String shown(String url, ConnectionString address) {
        int path = url.indexOf('/', url.indexOf("//") + 2);
        String database = address.getDatabase();
        return path >= 0 && url.indexOf('@', path) >= 0
                ? Redacted.url(url)
                : "mongodb://" + String.join(",", address.getHosts()) + "/" + (database == null ? "" : database);
    }

    private static ConfigurationException notReadable() {
        return new ConfigurationException("This is no URL of MongoDB; expected"
                + " mongodb://user:password@host1,host2/database?replicaSet=name. In user and password write %25 for"
                + " %, %40 for @, %3A for :, %2F for /, or use the options user and password.");
    }

    /** The settings of the pool of a store that is opened by URL. */
    static ConnectionPoolSettings poolSettings(String url, StoreOptions options) {
        return settings(address(url), options).getConnectionPoolSettings();
    }

    /** How many connections there may be at most: as many as are needed, unless the URL has a limit that will do. */
    private static int mostConnections(ConnectionString address) {
        Integer limit = address.getMaxConnectionPoolSize();
        Integer least = address.getMinConnectionPoolSize();
        int most = limit == null || limit == 0 ? MOST_CONNECTIONS : Math.max(limit, LEAST_CONNECTIONS);
        return least == null ? most : Math.max(most, least);
    }

    private static MongoClientSettings settings(ConnectionString address, StoreOptions options) {
        Integer socketTimeout = address.getSocketTimeout();
        if (socketTimeout != null && socketTimeout > 0 && socketTimeout < LEAST_READ_MILLIS) {
            throw new ConfigurationException("The URL has socketTimeoutMS=" + socketTimeout + "; expected at least "
                    + LEAST_READ_MILLIS
                    + ", because a change stream and a commit wait for longer than that, and would be cut"
                    + " off again and again.");
        }
        MongoClientSettings.Builder settings = MongoClientSettings.builder();
        settings.applyToClusterSettings(c -> c.serverSelectionTimeout(SELECTION_SECONDS, TimeUnit.SECONDS));
        settings.applyToSocketSettings(
                s -> s.connectTimeout(CONNECT_SECONDS, TimeUnit.SECONDS).readTimeout(READ_SECONDS, TimeUnit.SECONDS));
        settings.applyConnectionString(address);
        settings.applyToConnectionPoolSettings(pool -> pool.maxSize(mostConnections(address)));
        MongoCredential inUrl = address.getCredential();
        String user = options.get(StoreOptions.USER);
        String password = options.get(StoreOptions.PASSWORD);
        if (user != null || password != null) {
            String name = user != null ? user : inUrl == null ? null : inUrl.getUserName();
            char[] secret = password != null ? password.toCharArray() : inUrl == null ? null : inUrl.getPassword();
            if (name == null || secret == null) {
                throw new ConfigurationException(
                        "Of user and password there is only one, in the URL and the options together; expected both.");
            }
            settings.credential(MongoCredential.createCredential(
                    name, inUrl == null ? authSource(address) : inUrl.getSource(), secret));
        }
        return settings.build();
    }

    /** Where the user is known if the URL has no user to say so: as with one, the parameter, the database, admin. */
    private static String authSource(ConnectionString address) {
        for (String part : address.getConnectionString().split("[?&]", -1)) {
            if (part.regionMatches(true, 0, "authSource=", 0, "authSource=".length())) {
                return part.substring("authSource=".length());
            }
        }
        return Objects.requireNonNullElse(address.getDatabase(), "admin");
    }

    private static Store open(
            MongoClient client, String name, Settings settings, String doing, @Nullable MongoClient own) {
        try {
            MongoDatabase database = client.getDatabase(name);
            int version = requireReplicaSet(database, doing);
            OutboxCollections collections = OutboxCollections.of(database, settings.prefix);
            requireCollections(database, collections, settings, doing);
            tryOut(client, collections);
            rehearse(client, collections);
            Capabilities capabilities = capabilities(collections, settings);
            BulkWrites bulkWrites = new BulkWrites(client.getDatabase("admin"), collections, version >= MONGODB_8_0);
            LOG.info(
                    "[OUTBOX-301] The outbox is in database {}, its collections begin with {}; only what is written"
                            + " there is published",
                    name,
                    settings.prefix);
            return new MongoStore(
                    client,
                    own,
                    collections,
                    bulkWrites,
                    settings.lease,
                    capabilities,
                    new Surroundings<>(StoreOpener::unfit));
        } catch (MongoException | IllegalArgumentException | IllegalStateException e) {
            throw StoreErrors.of(doing, e);
        }
    }

    /** Returns its version, as it numbers that for drivers. */
    private static int requireReplicaSet(MongoDatabase database, String doing) {
        BsonDocument hello = database.runCommand(new BsonDocument("hello", new BsonInt32(1)), BsonDocument.class);
        boolean replicaSet = hello.containsKey("setName");
        boolean router =
                hello.containsKey("msg") && hello.getString("msg").getValue().equals("isdbgrid");
        if (!replicaSet && !router) {
            throw StoreErrors.standalone(doing, null);
        }
        if (replicaSet
                && !hello.getBoolean("isWritablePrimary", BsonBoolean.TRUE).getValue()) {
            throw new StoreException(
                    doing + " failed: the server takes no writes at present, it is not the primary. If the URL has"
                            + " directConnection=true, name all members without it, and the driver finds the primary.");
        }
        int version = hello.getNumber("maxWireVersion", new BsonInt32(0)).intValue();
        if (version < MONGODB_5_0) {
            throw new ConfigurationException(doing + " failed: the server is older than MongoDB 5.0, the first that can"
                    + " read as of a given time.");
        }
        return version;
    }

    /**
     * What is wrong with the collections, with what to do, as a part of a sentence; null if they are as they must be.
     * If they are dropped, inserts make others, without indexes, and the outbox seems to be empty. The commands of each
     * batch find out what a server cannot do.
     */
    private static @Nullable String unfit(OutboxCollections collections) {
        try {
            List<String> missing = collections.missing();
            return missing.isEmpty()
                    ? null
                    : "missing are " + String.join(", ", missing) + ". Create them with " + collections.inCode()
                            + ".createSchema(database)";
        } catch (MongoException e) {
            if (StoreErrors.isForbidden(e)) {
                return null; // there is no telling, and everything else may be allowed
            }
            throw e;
        }
    }

    private static void requireCollections(
            MongoDatabase database, OutboxCollections collections, Settings settings, String doing) {
        List<String> missing = collections.missing();
        if (!missing.isEmpty() && settings.create) {
            OutboxCollections.create(database, settings.prefix);
            missing = collections.missing();
        }
        if (!missing.isEmpty()) {
            throw new ConfigurationException(doing + " failed: missing are " + String.join(", ", missing)
                    + ". Create them, before messages are written, with " + collections.inCode()
                    + ".createSchema(database) or with the option createSchema=true.");
        }
    }

    /** Does everything that a store does, in a transaction that is aborted. So a missing privilege shows here. */
    private static void tryOut(MongoClient client, OutboxCollections collections) {
        for (int attempt = 1; ; attempt++) {
            try (ClientSession session = client.startSession()) {
                session.startTransaction(BatchCloser.TRANSACTION);
                collections.all().forEach(collection -> tryOut(session, collection));
                session.abortTransaction();
                return;
            } catch (MongoException e) {
                // A collection or an index that is being made makes transactions begin again.
                if (attempt == ATTEMPTS || !e.hasErrorLabel(MongoException.TRANSIENT_TRANSACTION_ERROR_LABEL)) {
                    throw e;
                }
            }
        }
    }

    /** A server that has just started does not tell its time for some moments. */
    private static void rehearse(MongoClient client, OutboxCollections collections) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(ELECTION_SECONDS);
        while (true) {
            try {
                new Rehearsal(client, collections).run();
                return;
            } catch (IllegalStateException e) {
                if (System.nanoTime() - end > 0) {
                    throw e;
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
            }
        }
    }

    private static void tryOut(ClientSession session, MongoCollection<BsonDocument> collection) {
        BsonDocument probe = new BsonDocument("_id", new BsonObjectId(new ObjectId()));
        collection.insertOne(session, probe.clone());
        collection.updateOne(session, probe, new BsonDocument("$set", new BsonDocument("probe", new BsonInt32(1))));
        collection.find(session, probe).first();
        collection.deleteMany(session, probe);
    }

    private static Capabilities capabilities(OutboxCollections collections, Settings settings) {
        if (!settings.wakeUp) {
            return Capabilities.all()
                    .without(
                            Capability.WAKE_UP, "it was switched off by the option " + StoreOptions.WAKE_UP + "=false");
        }
        try {
            WakeUpListener.tryOut(collections.messages());
            return Capabilities.all();
        } catch (MongoException e) {
            if (!StoreErrors.isForbidden(e)) {
                throw e;
            }
            String reason = "the user may not open a change stream on "
                    + collections.messages().getNamespace() + ", for which changeStream and find are needed";
            LOG.warn("[OUTBOX-302] No wake-ups, messages are found by polling alone: {}", reason);
            return Capabilities.all().without(Capability.WAKE_UP, reason);
        }
    }

    /** What the options say. */
    private record Settings(String prefix, Duration lease, boolean create, boolean wakeUp) {
        static Settings of(StoreOptions options) {
            options.requireKnown(
                    StoreOptions.USER,
                    StoreOptions.PASSWORD,
                    StoreOptions.CREATE_SCHEMA,
                    StoreOptions.PREFIX,
                    StoreOptions.WAKE_UP,
                    MongoOutbox.LEASE);
            return new Settings(
                    OutboxCollections.checkedPrefix(options.get(StoreOptions.PREFIX, MongoOutbox.DEFAULT_PREFIX)),
                    options.get(MongoOutbox.LEASE, MongoOutbox.DEFAULT_LEASE),
                    options.get(StoreOptions.CREATE_SCHEMA, false),
                    options.get(StoreOptions.WAKE_UP, true));
        }
    }
}
