import org.jspecify.annotations.NullMarked;

/** Publishes to NATS JetStream: {@link dev.outbox.publisher.nats.NatsPublisher}. */
@NullMarked
module dev.outbox.publisher.nats {
    exports dev.outbox.publisher.nats;

    requires transitive dev.outbox;
    requires transitive io.nats.jnats;
    requires org.slf4j;
    requires static transitive org.jspecify;
}
