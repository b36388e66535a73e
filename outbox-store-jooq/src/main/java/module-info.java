import org.jspecify.annotations.NullMarked;

/**
 * The outbox in a SQL database: {@link dev.outbox.store.jooq.JooqOutbox} writes messages in jOOQ or JDBC transactions
 * and opens stores; {@link dev.outbox.Stores#open} opens them by {@code jdbc:} URL.
 */
@NullMarked
module dev.outbox.store.jooq {
    exports dev.outbox.store.jooq;

    requires transitive dev.outbox;
    requires transitive java.sql;
    requires transitive org.jooq;
    requires com.zaxxer.hikari;
    requires com.fasterxml.jackson.core;
    requires org.slf4j;
    requires static com.google.auto.service;
    requires static org.checkerframework.checker.qual;
    requires static org.postgresql.jdbc;
    requires static transitive org.jspecify;

    provides dev.outbox.spi.StoreProvider with
            dev.outbox.store.jooq.JooqStoreProvider;
}
