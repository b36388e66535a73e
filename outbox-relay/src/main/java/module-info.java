import org.jspecify.annotations.NullMarked;

/** The relay, which publishes what was committed: see {@link dev.outbox.relay.Relay}. */
@NullMarked
module dev.outbox.relay {
    exports dev.outbox.relay;

    requires transitive dev.outbox;
    requires org.slf4j;
    requires static transitive org.jspecify;
}
