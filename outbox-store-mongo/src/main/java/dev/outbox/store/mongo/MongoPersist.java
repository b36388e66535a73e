package dev.outbox.store.mongo;

import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import dev.outbox.MessageRejectedException;
import dev.outbox.MisuseException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import java.util.List;
import org.bson.BsonDocument;

/** Writes messages in a transaction of the application, those of a call by one insert. */
final class MongoPersist implements PersistFunc {
    /** A document has at most 16 MiB, and in addition to the payload there are key, headers, and one day a reason. */
    static final int MAX_PAYLOAD_BYTES = 15 * 1024 * 1024;

    private static final String DOING = "Writing a message to the outbox";

    private final ClientSession session;
    private final MongoCollection<BsonDocument> messages;

    MongoPersist(ClientSession session, MongoDatabase database, String prefix) {
        this.session = session;
        this.messages = OutboxCollections.messages(database, prefix);
    }

    @Override
    public String persist(OutgoingMessage message) {
        requireTransaction();
        requireSize(message);
        write(() -> messages.insertOne(session, MessageDocuments.fresh(message)));
        return message.id();
    }

    /** The server gives each document of an insert a position of its own, in their order. */
    @Override
    public List<String> persistAll(List<OutgoingMessage> all) {
        requireTransaction();
        all.forEach(MongoPersist::requireSize);
        List<BsonDocument> documents = all.stream().map(MessageDocuments::fresh).toList();
        if (!documents.isEmpty()) {
            write(() -> messages.insertMany(session, documents));
        }
        return all.stream().map(OutgoingMessage::id).toList();
    }

    private void requireTransaction() {
        if (!session.hasActiveTransaction()) {
            throw new MisuseException(
                    "The session is closed or not in a transaction that the message could share: it would be published even if"
                            + " your other changes fail. Publish within session.withTransaction(…), or between"
                            + " session.startTransaction() and commitTransaction(), and pass the session to your own"
                            + " writes too.");
        }
    }

    private static void requireSize(OutgoingMessage message) {
        if (message.payload().length > MAX_PAYLOAD_BYTES) {
            throw new MessageRejectedException(
                    "The payload has " + message.payload().length + " bytes; MongoDB's limit of"
                            + " 16 MiB for a document leaves at most " + MAX_PAYLOAD_BYTES
                            + ". Store large content elsewhere and publish a reference to it.");
        }
    }

    private static void write(Runnable insert) {
        try {
            insert.run();
        } catch (MongoException e) {
            if (e.getCode() == StoreErrors.TEMPORARILY_UNAVAILABLE) {
                e.addLabel(MongoException.TRANSIENT_TRANSACTION_ERROR_LABEL); // the server has rolled it back
            }
            if (e.hasErrorLabel(MongoException.TRANSIENT_TRANSACTION_ERROR_LABEL)) {
                throw StoreErrors.transientOne(
                        DOING, e); // withTransaction looks for the driver's own, and begins again
            }
            throw StoreErrors.of(DOING, e);
        } catch (IllegalStateException e) { // by the driver, which has asked no server yet
            throw new MisuseException(
                    DOING
                            + " failed: the session is of another client than the database, or the client is closed. Take both"
                            + " from the same client, and keep it open until the transaction has ended. The driver says: "
                            + e.getMessage(),
                    e);
        }
    }
}
