package dev.outbox.store.mongo;

import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoDatabase;
import dev.outbox.ConfigurationException;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOption;
import dev.outbox.StoreOptions;
import java.time.Duration;

/**
 * The outbox in MongoDB 5.0 or newer, on a replica set. The application writes messages in the transactions of client
 * sessions. Relays read them from a {@link Store} on the same database.
 *
 * <pre>{@code
 * session.withTransaction(() -> {
 *     orders.insertOne(session, order);
 *     Outbox.bind(placed, MongoOutbox.persist(session, database)).publish(new OrderPlaced(id));
 *     return null;
 * });
 * }</pre>
 *
 * <p>The outbox is three collections of one database. Their names begin with a prefix. With the default prefix, {@value
 * #DEFAULT_PREFIX}, they are {@code outbox_messages}, {@code outbox_partitions} and {@code outbox_dead_letters}. The
 * collections must exist before the first message is written.
 */
public final class MongoOutbox {
    /** The prefix of the names of the collections, if no other is given. */
    public static final String DEFAULT_PREFIX = "outbox_";

    /**
     * The option {@code leaseMillis}: the length of a lease, at least 1 second, by default 30 seconds. If a process
     * dies, its batches hold their partitions for this long. A living process renews its leases. It stops trusting a
     * lease three quarters of this time after the last renewal, so choose a time that is longer than a failover takes.
     */
    public static final StoreOption<Duration> LEASE = StoreOption.millis("leaseMillis", Duration.ofSeconds(1));

    /** The value of {@link #LEASE} unless it is set: 30 seconds. */
    public static final Duration DEFAULT_LEASE = Duration.ofSeconds(30);

    private static final Named STANDARD = new Named(DEFAULT_PREFIX);

    private MongoOutbox() {}

    /**
     * Writes messages in the running transaction of a session, into the collections with the default prefix. One call
     * is one insert, also for several messages. Like the session, the function must not be used by several threads.
     *
     * <p>In addition to the exceptions of {@link PersistFunc#persist}, the function throws a {@link MongoException}
     * with the label {@code TransientTransactionError} if the transaction must begin again. {@link
     * ClientSession#withTransaction} begins again on that exception and on no other.
     *
     * @throws dev.outbox.MisuseException from {@link PersistFunc#persist} if the session is not in a transaction
     *     (OBX-TX-1)
     * @throws dev.outbox.MessageRejectedException from {@link PersistFunc#persist} if the payload has more than 15 MiB,
     *     because a document has at most 16 MiB (OBX-PAYLOAD-2)
     */
    public static PersistFunc persist(ClientSession session, MongoDatabase database) {
        return STANDARD.persist(session, database);
    }

    /**
     * Opens a store over a client of the application. The store never closes the client. The client's defaults for
     * reading and writing do not matter: the store writes with a majority and reads from the primary.
     *
     * <p>Each worker of a relay needs one connection of the client's pool at a time. The store needs up to three more
     * for topics that were left out and for operations, one for wake-ups, and one to renew leases, or up to eight while
     * a server does not answer. When batches whose publishers hung are closed, it needs up to one for each of their
     * topics, and eight more. If the application can use up the pool, give the relay a client of its own.
     *
     * @param options {@link StoreOptions#PREFIX}, {@link #LEASE}; {@link StoreOptions#WAKE_UP}, by default true, lets
     *     the store open a change stream when a relay asks for wake-ups; {@link StoreOptions#CREATE_SCHEMA}, by default
     *     false
     * @throws ConfigurationException if the server is no replica set or older than 5.0, the user lacks a
     *     privilege, an option is wrong, or the collections are missing
     * @throws StoreException if no primary can be reached
     */
    public static Store store(MongoClient client, String database, StoreOptions options) {
        return StoreOpener.store(client, database, options);
    }

    /**
     * Creates the collections with the default prefix and their indexes. It leaves alone what is there already. Several
     * processes can call it together. Call it outside of transactions.
     *
     * @throws ConfigurationException if the user has not the right to
     * @throws StoreException if the server cannot be reached or refuses
     */
    public static void createSchema(MongoDatabase database) {
        STANDARD.createSchema(database);
    }

    /**
     * The outbox whose collections have names that begin with another prefix. Outboxes with different prefixes never
     * meet. A store that is opened by URL has the prefix as the option {@link StoreOptions#PREFIX}.
     *
     * @param prefix 1 to 100 of the characters {@code A-Z a-z 0-9 _ . -}. It begins with a letter or {@code _}
     * @throws ConfigurationException if it has another form
     */
    public static Named named(String prefix) {
        return new Named(OutboxCollections.checkedPrefix(prefix));
    }

    /**
     * One outbox of a database, by the prefix of its collections. It does what {@link MongoOutbox} does with the
     * default prefix. Immutable, and safe for use by several threads.
     */
    public static final class Named {
        private final String prefix;

        private Named(String prefix) {
            this.prefix = prefix;
        }

        /** As {@link MongoOutbox#persist}. */
        public PersistFunc persist(ClientSession session, MongoDatabase database) {
            return new MongoPersist(session, database, prefix);
        }

        /**
         * As {@link MongoOutbox#store}.
         *
         * @throws ConfigurationException also if {@link StoreOptions#PREFIX} is another one
         */
        public Store store(MongoClient client, String database, StoreOptions options) {
            String other = options.get(StoreOptions.PREFIX);
            if (other != null && !other.equals(prefix)) {
                throw new ConfigurationException(
                        "The option " + StoreOptions.PREFIX + " is '" + other + "', and the store is to be"
                                + " opened with the prefix '" + prefix + "'. Leave the option away.");
            }
            return StoreOpener.store(client, database, options.withPrefix(prefix));
        }

        /** As {@link MongoOutbox#createSchema}. */
        public void createSchema(MongoDatabase database) {
            try {
                OutboxCollections.create(database, prefix);
            } catch (MongoException e) {
                throw StoreErrors.of("Creating the collections of the outbox", e);
            }
        }

        /** The prefix. */
        @Override
        public String toString() {
            return prefix;
        }
    }
}
