import org.jspecify.annotations.NullMarked;

/**
 * The transactional outbox: topics bound to a database transaction, and the interfaces a storage backend implements.
 * The relay that publishes what was committed is {@code dev.outbox.relay}.
 */
@NullMarked
@SuppressWarnings("module") // what it is exported to is compiled after it
module dev.outbox {
    exports dev.outbox;
    exports dev.outbox.spi;
    exports dev.outbox.internal to
            dev.outbox.relay,
            dev.outbox.store.support,
            dev.outbox.store.jooq,
            dev.outbox.store.mongo,
            dev.outbox.store.redis,
            dev.outbox.kafka,
            dev.outbox.rabbitmq,
            dev.outbox.nats,
            dev.outbox.sqs,
            dev.outbox.micrometer,
            dev.outbox.opentelemetry,
            dev.outbox.spring.boot;
    exports dev.outbox.internal.json to
            dev.outbox.jackson,
            dev.outbox.jackson3;

    requires org.slf4j;
    requires static transitive org.jspecify;

    uses dev.outbox.JsonCodecProvider;
    uses dev.outbox.StoreProvider;
}
