import org.jspecify.annotations.NullMarked;

/**
 * The outbox in a SQL database. {@link dev.outbox.store.jooq.JdbcOutbox} writes messages in JDBC transactions, {@link
 * dev.outbox.store.jooq.JooqOutbox} in those of jOOQ. Both open stores, and {@link dev.outbox.Stores#open} opens them
 * by {@code jdbc:} URL. Only a module that uses {@code JooqOutbox} needs jOOQ; it requires {@code org.jooq} itself.
 */
@NullMarked
module dev.outbox.store.jooq {
    exports dev.outbox.store.jooq;

    requires transitive dev.outbox;
    requires transitive java.sql;
    requires static transitive org.jooq;
    requires dev.outbox.store.support;
    requires com.zaxxer.hikari;
    requires org.slf4j;
    requires static com.google.auto.service;
    requires static org.checkerframework.checker.qual;
    requires static org.postgresql.jdbc;
    requires static transitive org.jspecify;

    provides dev.outbox.StoreProvider with
            dev.outbox.store.jooq.JooqStoreProvider;
}
