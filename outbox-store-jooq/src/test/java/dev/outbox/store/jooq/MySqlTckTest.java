package dev.outbox.store.jooq;

import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract on MySQL. */
@Tag("mysql")
class MySqlTckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return new MySqlHarness();
    }
}
