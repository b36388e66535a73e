import org.jspecify.annotations.NullMarked;

/**
 * The outbox in MongoDB: {@link dev.outbox.store.mongo.MongoOutbox} writes messages in the transactions of client
 * sessions and opens stores; {@link dev.outbox.Stores#open} opens them by {@code mongodb:} URL.
 */
@NullMarked
module dev.outbox.store.mongo {
    exports dev.outbox.store.mongo;

    requires transitive dev.outbox;
    requires transitive org.mongodb.driver.sync.client;
    requires transitive org.mongodb.driver.core;
    requires transitive org.mongodb.bson;
    requires dev.outbox.store.support;
    requires org.slf4j;
    requires static com.google.auto.service;
    requires static transitive org.jspecify;

    provides dev.outbox.StoreProvider with
            dev.outbox.store.mongo.MongoStoreProvider;
}
