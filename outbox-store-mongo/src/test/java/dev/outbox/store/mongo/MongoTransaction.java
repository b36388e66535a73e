package dev.outbox.store.mongo;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoDatabase;
import dev.outbox.PersistFunc;
import dev.outbox.StoreException;
import dev.outbox.tck.WriteTransaction;

/** A transaction of the application. */
final class MongoTransaction implements WriteTransaction {
    private final ClientSession session;
    private final PersistFunc persistFunc;
    private final MongoDatabase database;

    MongoTransaction(MongoClient client, String database) {
        this.database = client.getDatabase(database);
        session = client.startSession();
        PersistFunc persist = MongoOutbox.persist(session, this.database);
        persistFunc = message -> {
            try {
                return persist.persist(message);
            } catch (MongoException e) {
                // The driver's own way to say that the transaction is to begin again, for withTransaction; here nobody
                // does so.
                assertTrue(e.hasErrorLabel(MongoException.TRANSIENT_TRANSACTION_ERROR_LABEL), e.toString());
                throw new StoreException("Writing a message failed, and the transaction with it.", e);
            }
        };
        session.startTransaction();
    }

    @Override
    public PersistFunc persistFunc() {
        return persistFunc;
    }

    @Override
    public Rows rows() {
        return new MongoRows(session, database);
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
