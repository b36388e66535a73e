import org.jspecify.annotations.NullMarked;

/** What the stores of this project share. It is exported to them alone, and may change with any release. */
@NullMarked
@SuppressWarnings("module") // those it is exported to are compiled after it
module dev.outbox.store.support {
    exports dev.outbox.store.support to
            dev.outbox.store.jooq,
            dev.outbox.store.mongo,
            dev.outbox.store.redis;

    requires transitive dev.outbox;
    requires com.fasterxml.jackson.core;
    requires org.slf4j;
    requires static transitive org.jspecify;
}
