import org.jspecify.annotations.NullMarked;

/** Publishes to RabbitMQ: {@link dev.outbox.rabbitmq.RabbitPublisher}. */
@NullMarked
module dev.outbox.rabbitmq {
    exports dev.outbox.rabbitmq;

    requires transitive com.rabbitmq.client;
    requires transitive dev.outbox;
    requires org.slf4j;
    requires static transitive org.jspecify;
}
