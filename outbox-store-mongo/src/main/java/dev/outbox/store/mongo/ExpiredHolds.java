package dev.outbox.store.mongo;

import static com.mongodb.client.model.Filters.and;
import static com.mongodb.client.model.Filters.expr;
import static com.mongodb.client.model.Filters.in;

import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoDatabase;
import dev.outbox.internal.Log;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.bson.BsonArray;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.conversions.Bson;

/**
 * Frees partitions whose lease is over without having been given back, because their process died, or sleeps; and gives
 * back what a batch had whose end was not as it should be.
 *
 * <p>That is one plain statement, which leaves nothing to clean up whenever this process dies. If a process ended in
 * the middle of closing a batch, the server keeps the transaction of that open for another minute, and the statement
 * would wait for it; so it waits for a moment only. If that was not enough, and the partition still is what it was, the
 * session that the dead one closed with is killed, which aborts the transaction; every user may do that to their own
 * sessions. It is killed for nothing else: the driver lends sessions again, so it may have come to serve others. If the
 * process was only asleep, it finds its fence gone when it wakes up.
 *
 * <p>Being freed need not outlive a failover, because the client that takes the partition then waits for a
 * majority to have what came before, and because the lease is over in any case.
 */
final class ExpiredHolds {
    private static final Log LOG = Log.of(ExpiredHolds.class).sparing();

    private static final int WRITE_CONFLICT = 112;

    /**
     * How long to wait for another writer of these documents: longer than any close that goes on takes for its
     * commit.
     */
    private static final int WAIT_MILLIS = 200;

    /** Who gives something back is in a hurry: if there is no server, the end of the lease will do. */
    private static final Duration MOST_WAIT = Duration.ofSeconds(5);

    private static final int TRIES = 3;

    private static final BsonDocument UNSAFE = new BsonDocument("w", new BsonInt32(1));

    private final MongoDatabase database;
    private final OutboxCollections collections;
    private final Primary primary;

    ExpiredHolds(MongoClient client, Primary primary, OutboxCollections collections) {
        this.primary = primary;
        this.database = client.getDatabase(collections.messages().getNamespace().getDatabaseName());
        this.collections = collections;
    }

    /** Returns those that could be freed. */
    List<Partition> free(List<Discovery.Found> expired) {
        Map<BsonValue, List<Discovery.Found>> bySession =
                expired.stream().collect(Collectors.groupingBy(Discovery.Found::session));
        List<Partition> freed = new ArrayList<>();
        bySession.forEach((id, found) -> {
            List<Partition> partitions =
                    found.stream().map(Discovery.Found::partition).toList();
            Bson theirs = and(
                    in("_id", PartitionDocuments.ids(partitions)),
                    in("fence", found.stream().map(Discovery.Found::fence).toList()),
                    expr(PartitionDocuments.isOver("$leaseUntil")));
            End end = release(theirs);
            if (end == End.CONFLICT && id.isBinary() && isUnchanged(theirs)) {
                kill(id);
                end = release(theirs);
            }
            if (end == End.DONE) {
                LOG.info(
                        "[OUTBOX-311] Partitions {} are free again: the lease of {} was over",
                        partitions,
                        found.get(0).owner());
                freed.addAll(partitions);
            }
        });
        return freed;
    }

    /** Whether it still is the dead one that has them: what is committed, past what may be open. */
    private boolean isUnchanged(Bson theirs) {
        return collections.partitions().find(theirs).first() != null;
    }

    /** Gives back what these claims still have. If that fails, the end of their leases will do. */
    void giveBack(Collection<Hold> holds) {
        List<Partition> partitions =
                holds.stream().flatMap(hold -> hold.asked().stream()).toList();
        if (partitions.isEmpty()) {
            return;
        }
        Bson ours = and(
                in("_id", PartitionDocuments.ids(partitions)),
                in("fence", holds.stream().map(hold -> hold.fence).toList()));
        End end = End.FAILED;
        // What has just failed may be why it fails once more, as when a connection was lost.
        for (int tries = 0; tries < TRIES && end != End.DONE && primary.await(MOST_WAIT); tries++) {
            end = release(ours);
        }
    }

    private enum End {
        DONE,
        CONFLICT,
        FAILED
    }

    private void kill(BsonValue id) {
        try {
            database.runCommand(new BsonDocument("killSessions", new BsonArray(List.of(new BsonDocument("id", id)))));
        } catch (MongoException e) {
            LOG.debug("The server ends the session by itself, a little later", e);
        }
    }

    private End release(Bson which) {
        BsonDocument update = new BsonDocument("q", which.toBsonDocument())
                .append("u", PartitionDocuments.RELEASE.toBsonDocument())
                .append("multi", BsonBoolean.TRUE);
        try {
            BsonDocument reply = database.runCommand(
                    new BsonDocument(
                                    "update",
                                    new BsonString(collections
                                            .partitions()
                                            .getNamespace()
                                            .getCollectionName()))
                            .append("updates", new BsonArray(List.of(update)))
                            .append("writeConcern", UNSAFE)
                            .append("maxTimeMS", new BsonInt32(WAIT_MILLIS)),
                    BsonDocument.class);
            BsonArray refused = reply.getArray("writeErrors", new BsonArray());
            if (refused.isEmpty()) {
                return End.DONE;
            }
            LOG.debug("Partitions cannot be freed yet: {}, {}", which, refused);
            // The router of a sharded cluster answers so where the server itself says that the command failed.
            return endOf(refused.get(0).asDocument().getNumber("code").intValue());
        } catch (MongoException | IllegalStateException e) {
            LOG.debug("Partitions cannot be freed yet: {}", which, e);
            return e instanceof MongoException mongo ? endOf(mongo.getCode()) : End.FAILED;
        }
    }

    private static End endOf(int error) {
        return error == WRITE_CONFLICT || error == StoreErrors.MAX_TIME_EXPIRED ? End.CONFLICT : End.FAILED;
    }
}
