import org.jspecify.annotations.NullMarked;

/** Hands messages of an outbox to Kafka. */
@NullMarked
module dev.outbox.kafka {
    exports dev.outbox.kafka;

    requires transitive dev.outbox;
    requires transitive kafka.clients;
    requires org.slf4j;
    requires static transitive org.jspecify;
}
