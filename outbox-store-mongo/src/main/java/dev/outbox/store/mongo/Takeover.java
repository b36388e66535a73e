package dev.outbox.store.mongo;

import static com.mongodb.client.model.Filters.and;
import static com.mongodb.client.model.Filters.expr;
import static com.mongodb.client.model.Filters.in;

import com.mongodb.MongoException;
import com.mongodb.ReadConcern;
import com.mongodb.ReadPreference;
import com.mongodb.TransactionOptions;
import com.mongodb.WriteConcern;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoDatabase;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.bson.BsonArray;
import org.bson.BsonBinary;
import org.bson.BsonDocument;
import org.bson.conversions.Bson;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Frees partitions whose lease is over without having been given back, because their process died, or sleeps; and gives back
 * what a batch had whose end was not as it should be.
 *
 * <p>Partitions are freed in a transaction, in which what cannot be written at once fails at once. If it fails because their
 * process ended in the middle of closing a batch, the server still keeps the transaction of that open, for another minute, and
 * a plain update would wait for it. So its session is killed, which aborts the transaction; every user may do that to
 * their own sessions. It is killed for nothing else: the driver lends sessions again, so it may have come to serve others.
 * If the process was only asleep, it finds its fence gone when it wakes up.
 *
 * <p>Being freed need not outlive a failover, as whoever takes the partition then waits for a majority to have what came
 * before, and as the lease is over all the same.
 */
final class Takeover {
    private static final Logger LOG = LoggerFactory.getLogger(Takeover.class);

    private static final int WRITE_CONFLICT = 112;

    /** Where the conflict is with a transaction that stays, the end of the lease has to do. */
    private static final int TRIES = 3;

    private static final TransactionOptions TRANSACTION = TransactionOptions.builder()
            .readConcern(ReadConcern.LOCAL)
            .readPreference(ReadPreference.primary())
            .writeConcern(WriteConcern.W1)
            .build();

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
            List<Lane> lanes = found.stream().map(Discovery.Found::lane).toList();
            Bson theirs = and(
                    in("_id", Partitions.ids(lanes)),
                    in("fence", found.stream().map(Discovery.Found::fence).toList()),
                    expr(Partitions.isOver("$leaseUntil")));
            End end = release(theirs);
            if (end == End.CONFLICT) {
                kill(id);
                end = release(theirs);
            }
            if (end == End.DONE) {
                LOG.info(
                        "Partitions {} are free again: the lease of {} was over",
                        lanes,
                        found.get(0).owner());
                freed.addAll(lanes);
            }
        });
        return freed;
    }

    /** Gives back what these claims still have. If that fails, the end of their leases will do. */
    void giveBack(Collection<Claim> claims) {
        List<Lane> lanes =
                claims.stream().flatMap(claim -> claim.asked().stream()).toList();
        if (!lanes.isEmpty()) {
            Bson ours = and(
                    in("_id", Partitions.ids(lanes)),
                    in("fence", claims.stream().map(claim -> claim.fence).toList()));
            End end = release(ours);
            for (int again = 0; again < TRIES && end == End.CONFLICT; again++) {
                end = release(ours); // a renewal that was on its way has met it
            }
        }
    }

    private enum End {
        DONE,
        CONFLICT,
        FAILED
    }

    private void kill(BsonBinary id) {
        try {
            database.runCommand(new BsonDocument("killSessions", new BsonArray(List.of(new BsonDocument("id", id)))));
        } catch (MongoException e) {
            LOG.debug("The server ends the session by itself, a little later", e);
        }
    }

    private End release(Bson which) {
        try (ClientSession session = client.startSession()) {
            session.startTransaction(TRANSACTION);
            collections.partitions().updateMany(session, which, Partitions.RELEASE);
            session.commitTransaction();
            return End.DONE;
        } catch (MongoException | IllegalStateException e) {
            LOG.debug("Partitions cannot be freed yet: {}", which, e);
            return e instanceof MongoException mongo && mongo.getCode() == WRITE_CONFLICT ? End.CONFLICT : End.FAILED;
        }
    }
}
