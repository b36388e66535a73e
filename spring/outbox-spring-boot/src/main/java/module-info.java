import org.jspecify.annotations.NullMarked;

/**
 * What the starters for Spring Boot 3.5 and 4 have in common: the auto-configuration of an outbox, its relay, its
 * publishers and its endpoint. Applications add one of the starters.
 */
@NullMarked
@SuppressWarnings("module") // what it is exported to is compiled after it
module dev.outbox.spring.boot {
    exports dev.outbox.spring.boot;
    exports dev.outbox.spring.boot.internal to
            dev.outbox.spring.boot3,
            dev.outbox.spring.boot4;

    opens dev.outbox.spring.boot;
    opens dev.outbox.spring.boot.internal;

    requires transitive dev.outbox;
    requires transitive dev.outbox.spring;
    requires dev.outbox.relay;
    requires java.sql;
    requires org.slf4j;
    requires spring.beans;
    requires spring.boot;
    requires spring.boot.autoconfigure;
    requires spring.context;
    requires spring.core;
    requires static com.fasterxml.jackson.core;
    requires static com.fasterxml.jackson.databind;
    requires static com.zaxxer.hikari;
    requires static dev.outbox.jackson;
    requires static dev.outbox.jackson3;
    requires static dev.outbox.store.jooq;
    requires static dev.outbox.store.mongo;
    requires static org.mongodb.driver.sync.client;
    requires static spring.boot.actuator;
    requires static spring.boot.actuator.autoconfigure;
    requires static spring.data.mongodb;
    requires static spring.jdbc;
    requires static tools.jackson.core;
    requires static tools.jackson.databind;
    requires static transitive org.jspecify;
}
