import org.jspecify.annotations.NullMarked;

/** Publishes to NATS JetStream: {@link dev.outbox.nats.NatsPublisher}. */
@NullMarked
module dev.outbox.nats {
    exports dev.outbox.nats;

    requires transitive dev.outbox;
    requires transitive io.nats.jnats;
    requires org.slf4j;
    requires static transitive org.jspecify;
}
