package dev.outbox.spring.boot.internal;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What can be set in the configuration of an application.
 *
 * @param store where messages are kept
 * @param relay what publishes them
 */
@ConfigurationProperties("outbox")
record OutboxProperties(
        @DefaultValue Store store, @DefaultValue Relay relay) {
    /** The kinds of stores that take part in Spring's transactions. */
    enum Type {
        /** A SQL database, by outbox-store-jooq. */
        JDBC,
        /** MongoDB, by outbox-store-mongo. */
        MONGO
    }

    /**
     * Where messages are kept.
     *
     * @param type Kind of store. Needed only if both outbox-store-jooq and outbox-store-mongo are on the class path.
     * @param prefix What the names of the tables or collections begin with, also with a schema as in "shop.outbox_". By
     *     default "outbox_".
     * @param createSchema Whether to create missing tables or collections when the application starts. By default true
     *     for H2, if the application runs a relay, and false for other databases.
     * @param wakeUp Whether commits of other processes wake the relay up. By default true for MongoDB and false for
     *     PostgreSQL; other SQL databases cannot.
     * @param options Further options of the store by their names, such as "strictOrder" or "leaseMillis".
     */
    record Store(
            @Nullable Type type,
            @Nullable String prefix,
            @Nullable Boolean createSchema,
            @Nullable Boolean wakeUp,
            @DefaultValue Map<String, String> options) {}

    /**
     * What publishes messages to the brokers.
     *
     * @param enabled Whether this application runs a relay. If not, another process must run one.
     * @param workers Number of threads that take messages from the store, 1 to 1000. Each needs a connection.
     * @param batchSize Most messages that a worker takes at a time.
     * @param publishers Number of further threads that call publishers, 1 to 1000.
     * @param maxBatchTime Time after which a batch starts no more messages.
     * @param maxPollInterval Longest pause between two polls when there is nothing to do.
     * @param shutdownTimeout Time that publishers have to finish when the application stops. With 5 seconds more it
     *     must be within "spring.lifecycle.timeout-per-shutdown-phase".
     */
    record Relay(
            @DefaultValue("true") boolean enabled,
            @DefaultValue("1") int workers,
            @DefaultValue("100") int batchSize,
            @DefaultValue("16") int publishers,
            @DefaultValue("5s") Duration maxBatchTime,
            @DefaultValue("1s") Duration maxPollInterval,
            @DefaultValue("20s") Duration shutdownTimeout) {}
}
