package dev.outbox.benchmarks;

import com.mongodb.ConnectionString;
import com.mongodb.ReadConcern;
import com.mongodb.ReadPreference;
import com.mongodb.WriteConcern;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.InsertManyOptions;
import com.mongodb.client.model.Sorts;
import dev.outbox.Outbox;
import dev.outbox.Publisher;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.store.mongo.MongoOutbox;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.bson.BsonBinary;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonObjectId;
import org.bson.BsonString;
import org.bson.BsonTimestamp;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.bson.conversions.Bson;
import org.bson.types.ObjectId;

/**
 * A MongoDB replica set, or a sharded cluster. By hand, messages are found in their order and deleted by their ids,
 * both with the concern of a majority; nothing keeps a second reader away.
 */
final class Mongo implements Backend {
    private static final int CHUNK = 10_000;
    private static final Bson OLDEST_FIRST = Sorts.ascending("topic", "partition", "position");
    private static final Bson ONLY_PARTITION = Filters.and(Filters.eq("topic", Load.TOPIC), Filters.eq("partition", 0));
    private static final BsonTimestamp NOW = new BsonTimestamp(0, 0);

    private final String url;
    private final String servers;
    private final Consumer<String> placing;
    private final MongoClient client;
    private final MongoDatabase database;
    private final MongoCollection<BsonDocument> messages;
    private final MongoCollection<RawBsonDocument> raw;
    private int filled;

    Mongo(String url) {
        this(url, "a replica set of one", database -> {});
    }

    /**
     * @param servers in words
     * @param placing is told the name of the database each time when its collections were created
     */
    Mongo(String url, String servers, Consumer<String> placing) {
        this.url = url;
        this.servers = servers;
        this.placing = placing;
        Stores.open(url, StoreOptions.defaults().withCreateSchema(true)).close();
        client = MongoClients.create(url);
        String name = Objects.requireNonNull(new ConnectionString(url).getDatabase());
        database = client.getDatabase(name)
                .withWriteConcern(WriteConcern.MAJORITY)
                .withReadConcern(ReadConcern.MAJORITY)
                .withReadPreference(ReadPreference.primary());
        messages = database.getCollection("outbox_messages", BsonDocument.class);
        raw = messages.withDocumentClass(RawBsonDocument.class);
    }

    @Override
    public String name() {
        return "mongo";
    }

    @Override
    public String version() {
        return "MongoDB "
                + client.getDatabase("admin")
                        .runCommand(new BsonDocument("buildInfo", new BsonInt32(1)), BsonDocument.class)
                        .getString("version")
                        .getValue()
                + ", " + servers;
    }

    @Override
    public String url() {
        return url;
    }

    @Override
    public StoreOptions options(boolean wakeUps) {
        return StoreOptions.defaults().withWakeUp(wakeUps);
    }

    @Override
    public void clear() {
        database.drop();
        MongoOutbox.createSchema(database);
        placing.accept(database.getName());
    }

    @Override
    public void add(Load load) {
        InsertManyOptions inAnyOrder = new InsertManyOptions().ordered(false);
        BsonBinary payload = new BsonBinary(load.payload());
        int chunk = Math.min(CHUNK, 1 + 40_000_000 / load.bytes());
        List<RawBsonDocument> some = new ArrayList<>(chunk);
        for (int n = 0; n < load.messages(); n++) {
            int lane = load.lane(n);
            BsonDocument document = message(
                    Load.topic(lane / load.partitions()),
                    lane % load.partitions(),
                    new BsonTimestamp(1_700_000_000, ++filled),
                    payload);
            some.add(new RawBsonDocument(document, new BsonDocumentCodec()));
            if (some.size() == chunk || n == load.messages() - 1) {
                raw.insertMany(some, inAnyOrder);
                some.clear();
            }
        }
    }

    /** As the store writes it. */
    private static BsonDocument message(String topic, int partition, BsonTimestamp position, BsonBinary payload) {
        return new BsonDocument("_id", new BsonObjectId(new ObjectId()))
                .append("topic", new BsonString(topic))
                .append("partition", new BsonInt32(partition))
                .append("position", position)
                .append("payload", payload);
    }

    @Override
    public boolean isEmpty() {
        return messages.find().limit(1).first() == null;
    }

    @Override
    public void drainBare(int limit, int messages) {
        int left = messages;
        while (left > 0) {
            int wanted = Math.min(limit, left);
            List<ObjectId> ids = new ArrayList<>(wanted);
            for (BsonDocument message : this.messages
                    .find(ONLY_PARTITION)
                    .sort(OLDEST_FIRST)
                    .limit(wanted)
                    .batchSize(wanted)) {
                ids.add(message.getObjectId("_id").getValue());
                consume(message);
            }
            if (ids.isEmpty()) {
                throw new IllegalStateException("messages are missing: " + left + " of " + messages);
            }
            if (this.messages.deleteMany(Filters.in("_id", ids)).getDeletedCount() != ids.size()) {
                throw new IllegalStateException("others have deleted messages");
            }
            left -= ids.size();
        }
    }

    private static void consume(BsonDocument message) {
        if (message.getBinary("payload").getData().length == 0) {
            throw new IllegalStateException("a message without a payload");
        }
    }

    @Override
    public Writer writer(Topic<byte[]> topic) {
        ClientSession session = client.startSession();
        return new Writer() {
            @Override
            public void begin() {
                session.startTransaction();
            }

            @Override
            public Publisher<byte[]> publisher() {
                return Outbox.bind(topic, MongoOutbox.persist(session, database));
            }

            @Override
            public void commit() {
                session.commitTransaction();
            }

            @Override
            public void close() {
                session.close();
            }
        };
    }

    @Override
    public void persistBare(int transactions, int count) {
        byte[] payload = Load.payload(Load.USUAL_BYTES);
        try (ClientSession session = client.startSession()) {
            for (int t = 0; t < transactions; t++) {
                session.startTransaction();
                for (int m = 0; m < count; m++) {
                    messages.insertOne(session, message(Load.TOPIC, 0, NOW, new BsonBinary(payload)));
                }
                session.commitTransaction();
            }
        }
    }

    @Override
    public long roundTrip() {
        try (ClientSession session = client.startSession()) {
            session.startTransaction();
            messages.insertOne(session, message(Load.TOPIC, 0, NOW, new BsonBinary(Load.payload(Load.USUAL_BYTES))));
            long start = System.nanoTime();
            session.commitTransaction();
            BsonDocument found = messages.find(ONLY_PARTITION)
                    .sort(OLDEST_FIRST)
                    .limit(100)
                    .batchSize(100)
                    .first();
            long end = System.nanoTime();
            consume(Objects.requireNonNull(found));
            messages.deleteMany(Filters.eq("_id", found.get("_id")));
            return end - start;
        }
    }

    @Override
    public Activity activity() {
        BsonDocument status = client.getDatabase("admin")
                .runCommand(new BsonDocument("serverStatus", new BsonInt32(1)), BsonDocument.class);
        long commands = status.getDocument("opcounters").values().stream()
                .filter(BsonValue::isNumber)
                .mapToLong(count -> count.asNumber().longValue())
                .sum();
        BsonDocument more = status.getDocument("extra_info");
        double micros = more.getNumber("user_time_us").doubleValue()
                + more.getNumber("system_time_us").doubleValue();
        return new Activity(commands, micros / 1e6);
    }

    @Override
    public void close() {
        database.drop();
        client.close();
    }
}
