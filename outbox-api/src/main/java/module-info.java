import org.jspecify.annotations.NullMarked;

/**
 * The transactional outbox: topics bound to a database transaction, the relay that publishes what was committed, and
 * the interfaces a storage backend implements.
 */
@NullMarked
module dev.outbox {
    exports dev.outbox;
    exports dev.outbox.spi;

    requires org.slf4j;
    requires static transitive org.jspecify;

    uses dev.outbox.spi.JsonCodecProvider;
    uses dev.outbox.spi.StoreProvider;
}
