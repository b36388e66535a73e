package dev.outbox.store.jooq;

import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract on MariaDB. Every build runs the first two levels, see {@link MariaDbLevelsTest}. */
@Tag("mariadb")
@Tag("versions")
class MariaDbTckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return new MariaDbHarness();
    }
}
