package dev.outbox.store.mongo;

import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoDatabase;
import dev.outbox.tck.WriteTransaction;
import org.bson.Document;

/** Rows of the application, in a collection of their own. */
record MongoRows(ClientSession session, MongoDatabase database) implements WriteTransaction.Rows {
    private static final String NAME = "application_rows";

    /** Makes the collection, which a transaction that writes on several shards cannot do. */
    static void createCollection(MongoDatabase database) {
        database.createCollection(NAME);
    }

    @Override
    public void write(String name) {
        database.getCollection(NAME).insertOne(session, new Document("_id", name));
    }

    @Override
    public boolean isThere(String name) {
        return database.getCollection(NAME)
                        .find(session, new Document("_id", name))
                        .first()
                != null;
    }
}
