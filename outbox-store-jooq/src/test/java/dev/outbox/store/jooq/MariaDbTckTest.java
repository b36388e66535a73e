package dev.outbox.store.jooq;

import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract on MariaDB. */
@Tag("mariadb")
class MariaDbTckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return new MariaDbHarness();
    }
}
