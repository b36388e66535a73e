package dev.outbox.store.mongo;

import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import dev.outbox.PersistFunc;
import dev.outbox.tck.WriteTransaction;

/** A transaction of the application. */
final class MongoTransaction implements WriteTransaction {
    private final ClientSession session;
    private final PersistFunc persistFunc;

    MongoTransaction(MongoClient client, String database) {
        session = client.startSession();
        persistFunc = MongoOutbox.persist(session, client.getDatabase(database));
        session.startTransaction();
    }

    @Override
    public PersistFunc persistFunc() {
        return persistFunc;
    }

    @Override
    public void commit() {
        session.commitTransaction();
    }

    @Override
    public void rollback() {
        session.abortTransaction();
    }

    @Override
    public void close() {
        session.close(); // aborts what is open
    }
}
