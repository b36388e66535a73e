import org.jspecify.annotations.NullMarked;

/** Publishes to RabbitMQ: {@link dev.outbox.publisher.rabbitmq.RabbitPublisher}. */
@NullMarked
module dev.outbox.publisher.rabbitmq {
    exports dev.outbox.publisher.rabbitmq;

    requires transitive com.rabbitmq.client;
    requires transitive dev.outbox;
    requires org.slf4j;
    requires static transitive org.jspecify;
}
