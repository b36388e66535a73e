package dev.outbox.store.mongo;

import com.mongodb.MongoCommandException;
import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import java.util.List;
import org.bson.BsonArray;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.conversions.Bson;

/**
 * Several statements on two collections by one command, which MongoDB has since 8.0: in a transaction that saves a
 * round trip. Safe for use by several threads.
 */
final class BulkWrites {
    private final MongoDatabase admin;
    private final BsonArray namespaces;
    private volatile boolean available;

    /** What was matched by updates, and what was deleted. */
    record Written(long matched, long deleted) {}

    /**
     * @param admin the database that the command is sent to
     * @param available whether the server is expected to have it
     */
    BulkWrites(MongoDatabase admin, OutboxCollections collections, boolean available) {
        this.admin = admin;
        this.namespaces =
                new BsonArray(List.of(namespace(collections.partitions()), namespace(collections.messages())));
        this.available = available;
    }

    boolean areAvailable() {
        return available;
    }

    /**
     * Updates partitions, with each of the filters and all of them by the same pipeline, and then deletes messages.
     *
     * @throws MongoException as the statements by themselves; also if the server does not do it, as after a failover to
     *     an older member: then the transaction is aborted and to begin again, without it
     */
    Written run(ClientSession transaction, List<Bson> partitionDocuments, Bson stage, Bson messages) {
        BsonArray operations = new BsonArray();
        for (Bson each : partitionDocuments) {
            operations.add(new BsonDocument("update", new BsonInt32(0))
                    .append("filter", each.toBsonDocument())
                    .append("updateMods", new BsonArray(List.of(stage.toBsonDocument())))
                    .append("multi", BsonBoolean.TRUE));
        }
        operations.add(new BsonDocument("delete", new BsonInt32(1))
                .append("filter", messages.toBsonDocument())
                .append("multi", BsonBoolean.TRUE));
        try {
            BsonDocument reply = admin.runCommand(
                    transaction,
                    new BsonDocument("bulkWrite", new BsonInt32(1))
                            .append("ops", operations)
                            .append("nsInfo", namespaces)
                            .append("errorsOnly", BsonBoolean.TRUE),
                    BsonDocument.class);
            if (reply.getNumber("nErrors").intValue() > 0) {
                throw doWithout(new MongoException("The server refused: " + reply.get("cursor")));
            }
            return new Written(
                    reply.getNumber("nMatched").longValue(),
                    reply.getNumber("nDeleted").longValue());
        } catch (MongoCommandException e) {
            boolean known = e.hasErrorLabel(MongoException.TRANSIENT_TRANSACTION_ERROR_LABEL)
                    || e.getCode() == StoreErrors.INTERRUPTED
                    || StoreErrors.isOutOfCache(e);
            throw known ? e : doWithout(e);
        }
    }

    /**
     * Servers that do not have the command say so in many ways: one that does not know it, one that knows an older form
     * of it, one that has it switched off. What was not for that reason comes again from the plain statements, with a
     * text of its own.
     */
    private MongoException doWithout(MongoException e) {
        available = false;
        e.addLabel(MongoException.TRANSIENT_TRANSACTION_ERROR_LABEL);
        return e;
    }

    private static BsonDocument namespace(MongoCollection<?> collection) {
        return new BsonDocument("ns", new BsonString(collection.getNamespace().getFullName()));
    }
}
