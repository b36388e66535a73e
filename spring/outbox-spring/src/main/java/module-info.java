import org.jspecify.annotations.NullMarked;

/**
 * The outbox in the transactions of Spring, without Spring Boot: {@link dev.outbox.spring.SpringJdbcOutbox} and {@link
 * dev.outbox.spring.SpringMongoOutbox} publish in them, {@link dev.outbox.spring.OutboxRelay} runs a relay with the
 * application context.
 */
@NullMarked
module dev.outbox.spring {
    exports dev.outbox.spring;

    opens dev.outbox.spring to
            spring.beans,
            spring.context,
            spring.core;

    requires transitive dev.outbox;
    requires transitive dev.outbox.relay;
    requires transitive spring.beans;
    requires transitive spring.context;
    requires transitive spring.tx;
    requires spring.core;
    requires static dev.outbox.store.jooq;
    requires static dev.outbox.store.mongo;
    requires static spring.data.mongodb;
    requires static spring.jdbc;
    requires static transitive org.jspecify;
}
