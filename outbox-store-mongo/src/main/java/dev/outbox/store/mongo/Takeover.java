package dev.outbox.store.mongo;

import static com.mongodb.client.model.Filters.and;
import static com.mongodb.client.model.Filters.expr;
import static com.mongodb.client.model.Filters.in;

import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.bson.BsonArray;
import org.bson.BsonBinary;
import org.bson.BsonDocument;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Frees partitions whose lease is over without having been given back: their process died, or sleeps.
 *
 * <p>If that happened in the middle of closing a batch, the server still keeps its transaction open, for another minute, and
 * a plain update of what it has written would wait for it. So its session is killed, which aborts the transaction; every
 * user may do that to their own sessions. And the partitions are freed in a transaction, in which what cannot be written at
 * once fails at once. If the process was only asleep, it finds its fence gone when it wakes up.
 *
 * <p>The driver lends sessions again. If the process lives, and could not give the partitions back, its session may serve
 * another transaction by now, which then is aborted as by any passing failure, and begins again.
 */
final class Takeover {
    private static final Logger LOG = LoggerFactory.getLogger(Takeover.class);

    private final MongoClient client;
    private final MongoDatabase database;
    private final OutboxCollections collections;

    Takeover(MongoClient client, OutboxCollections collections) {
        this.client = client;
        this.database = client.getDatabase(collections.messages().getNamespace().getDatabaseName());
        this.collections = collections;
    }

    /** Returns those that could be freed. */
    List<Lane> free(List<Discovery.Found> expired) {
        Map<BsonBinary, List<Discovery.Found>> bySession =
                expired.stream().collect(Collectors.groupingBy(Discovery.Found::session));
        List<Lane> freed = new ArrayList<>();
        bySession.forEach((id, found) -> {
            kill(id);
            List<Lane> lanes = found.stream().map(Discovery.Found::lane).toList();
            if (release(found, lanes)) {
                LOG.info(
                        "Partitions {} are free again: the lease of {} was over",
                        lanes,
                        found.get(0).owner());
                freed.addAll(lanes);
            }
        });
        return freed;
    }

    private void kill(BsonBinary id) {
        try {
            database.runCommand(new BsonDocument("killSessions", new BsonArray(List.of(new BsonDocument("id", id)))));
        } catch (MongoException e) {
            LOG.debug("The server ends the session by itself, a little later", e);
        }
    }

    private boolean release(List<Discovery.Found> found, List<Lane> lanes) {
        try (ClientSession session = client.startSession()) {
            session.startTransaction(Settlement.TRANSACTION);
            collections
                    .partitions()
                    .updateMany(
                            session,
                            and(
                                    in("_id", Partitions.ids(lanes)),
                                    in(
                                            "fence",
                                            found.stream()
                                                    .map(Discovery.Found::fence)
                                                    .toList()),
                                    expr(Partitions.isOver("$leaseUntil"))),
                            Partitions.RELEASE);
            session.commitTransaction();
            return true;
        } catch (MongoException e) {
            LOG.debug("Partitions {} cannot be freed yet", lanes, e);
            return false;
        }
    }
}
