package dev.outbox.store.mongo;

import com.mongodb.MongoClientException;
import com.mongodb.MongoException;
import com.mongodb.MongoSecurityException;
import com.mongodb.MongoSocketException;
import com.mongodb.MongoTimeoutException;
import dev.outbox.ConfigurationException;
import dev.outbox.OutboxException;
import dev.outbox.StoreException;
import dev.outbox.store.support.CauseChain;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Says what a failure of the server or its driver means. */
final class StoreErrors {
    static final String PRIVILEGES = "The user needs find, insert, update and remove on the three collections of the"
            + " outbox, and listIndexes to open it, as the role readWrite of the database gives; changeStream is needed for"
            + " wake-ups alone.";

    static final int MAX_TIME_EXPIRED = 50;

    /** As by {@link ExpiredHolds}, which kills the session of whose lease is over. */
    static final int INTERRUPTED = 11601;

    /**
     * A document that a validator refuses, commands on views and on capped collections, what is not supported or not
     * known, options of commands that are not known.
     */
    private static final Set<Integer> UNSUITABLE = Set.of(121, 166, 263, 115, 303, 59, 168, 40324, 40415, 323);

    /** The storage engine has rolled a transaction back to get room. */
    static final int TEMPORARILY_UNAVAILABLE = 365;

    /**
     * A storage engine whose cache is full rolls back the transaction that keeps most of it, and says so without the
     * label that tells a driver to begin again: TemporarilyUnavailable and TransactionTooLargeForCache.
     */
    private static final Set<Integer> OUT_OF_CACHE = Set.of(TEMPORARILY_UNAVAILABLE, 388);

    private static final int UNAUTHORIZED = 13;
    private static final int AUTHENTICATION_FAILED = 18;
    private static final int ILLEGAL_OPERATION = 20;
    private static final int NO_SUCH_TRANSACTION = 251;

    private StoreErrors() {}

    static OutboxException of(String doing, RuntimeException e) {
        if (e instanceof OutboxException already) {
            return already;
        }
        if (isWithoutTransactions(e)) {
            return standalone(doing, e);
        }
        MongoSecurityException login = find(MongoSecurityException.class, e);
        if (login != null && find(MongoSocketException.class, login) != null) {
            return new StoreException(
                    doing + " failed: the connection was lost while logging in. " + e.getMessage(), e);
        }
        if (login != null || code(e) == AUTHENTICATION_FAILED) {
            return new ConfigurationException(
                    doing + " failed: the server does not accept the user or the password, or the user is of another"
                            + " database than the one to log in to: add ?authSource=admin if it was made there. "
                            + e.getMessage(),
                    e);
        }
        if (isForbidden(e)) {
            return new ConfigurationException(
                    doing + " failed: the user may not do this. " + PRIVILEGES + " " + e.getMessage(), e);
        }
        if (UNSUITABLE.contains(code(e))) {
            return new ConfigurationException(
                    doing
                            + " failed: the server, or one of the collections, cannot do what an outbox needs. It needs ordinary"
                            + " collections: no views, not capped, without a validator that refuses its documents; and MongoDB"
                            + " itself. " + e.getMessage(),
                    e);
        }
        if (e instanceof MongoTimeoutException) {
            return new StoreException(
                    doing + " failed: no server could be reached that takes writes. Check the hosts, that a primary is"
                            + " elected, and that the name in replicaSet= is right. "
                            + e.getMessage(),
                    e);
        }
        return new StoreException(doing + " failed: " + e.getMessage(), e);
    }

    static ConfigurationException standalone(String doing, @Nullable RuntimeException e) {
        return new ConfigurationException(
                doing
                        + " failed: the server is a standalone one, which has no transactions, so that it can hold no outbox."
                        + " Make it a replica set, for which one member is enough: start mongod with --replSet and run"
                        + " rs.initiate() once.",
                e);
    }

    /** The driver speaks of retryable writes then, which helps nobody; the server's own answer is its cause. */
    private static boolean isWithoutTransactions(RuntimeException e) {
        MongoClientException client = find(MongoClientException.class, e);
        boolean misleading = client != null
                && client.getMessage() != null
                && client.getMessage().contains("does not support retryable writes");
        return misleading || code(e) == ILLEGAL_OPERATION;
    }

    /** A failure after which a transaction is to begin again, as the driver knows it, in words that help. */
    static MongoException transientOne(String doing, MongoException e) {
        if (e.getCode() != NO_SUCH_TRANSACTION) {
            return e;
        }
        MongoException clear = new MongoException(
                NO_SUCH_TRANSACTION,
                doing
                        + " failed: the server has aborted the transaction, because an earlier statement of it failed, because"
                        + " the primary has changed, or because it was open for longer than"
                        + " transactionLifetimeLimitSeconds, by default 60. Roll it back and begin again; do slow work"
                        + " before it. " + e.getMessage(),
                e);
        clear.addLabel(MongoException.TRANSIENT_TRANSACTION_ERROR_LABEL);
        return clear;
    }

    /**
     * Whether the transaction is rolled back, and may pass when others have given back what they keep, or when it is
     * smaller.
     */
    static boolean isOutOfCache(MongoException e) {
        return OUT_OF_CACHE.contains(e.getCode());
    }

    static boolean isForbidden(RuntimeException e) {
        return code(e) == UNAUTHORIZED;
    }

    private static int code(RuntimeException e) {
        return e instanceof MongoException mongo ? mongo.getCode() : 0;
    }

    private static <E extends Throwable> @Nullable E find(Class<E> type, @Nullable Throwable e) {
        for (Throwable each : CauseChain.of(e)) {
            if (type.isInstance(each)) {
                return type.cast(each);
            }
        }
        return null;
    }
}
