package dev.outbox.examples.quickstart;

import com.mongodb.ConnectionString;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.Sorts;
import dev.outbox.Outbox;
import dev.outbox.Topic;
import dev.outbox.store.mongo.MongoOutbox;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.bson.BsonTimestamp;
import org.bson.Document;

/** The shop on MongoDB. */
final class MongoShop implements Shop {
    private static final String COLLECTION = "quickstart_orders";

    private final MongoClient client;
    private final MongoDatabase database;
    private final MongoCollection<Document> rows;
    private final String run;
    private final Topic<Order> orders;

    private MongoShop(MongoClient client, MongoDatabase database, String run, Topic<Order> orders) {
        this.client = client;
        this.database = database;
        this.rows = database.getCollection(COLLECTION);
        this.run = run;
        this.orders = orders;
    }

    /** The URL names a database: a store was opened with it before. */
    static MongoShop open(String url, String run, Topic<Order> orders) {
        ConnectionString address = new ConnectionString(url);
        MongoClient client = MongoClients.create(address);
        MongoDatabase database = client.getDatabase(Objects.requireNonNull(address.getDatabase()));
        if (!database.listCollectionNames().into(new ArrayList<>()).contains(COLLECTION)) {
            database.createCollection(COLLECTION); // transactions that all create it would abort each other
        }
        return new MongoShop(client, database, run, orders);
    }

    @Override
    public boolean take(OrderLine line) {
        try (ClientSession session = client.startSession()) {
            return session.withTransaction(() -> {
                String messageId = Outbox.bind(orders, MongoOutbox.persist(session, database))
                        .publish(line.order());
                rows.insertOne(session, row(line.order(), messageId));
                if (line.declined()) {
                    throw new PaymentDeclined();
                }
                return true;
            });
        } catch (PaymentDeclined e) {
            return false;
        }
    }

    private Document row(Order order, String messageId) {
        return new Document("run", run)
                .append("number", order.number())
                .append("customer", order.customer())
                .append("sku", order.sku())
                .append("quantity", order.quantity())
                .append("unitPriceCents", order.cents())
                .append("currency", order.currency())
                .append("placedAt", order.placedAt())
                .append("messageId", messageId)
                .append("written", new BsonTimestamp(0, 0)); // set by the server
    }

    /** One thread at a time writes a customer's orders, so the server's timestamps grow with their commits. */
    @Override
    public List<Committed> committed() {
        return rows.find(Filters.eq("run", run))
                .sort(Sorts.ascending("written"))
                .map(row ->
                        new Committed(row.getString("number"), row.getString("customer"), row.getString("messageId")))
                .into(new ArrayList<>());
    }

    @Override
    public String orders() {
        return "documents of " + COLLECTION + ", run " + run;
    }

    @Override
    public void close() {
        client.close();
    }
}
