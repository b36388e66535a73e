package dev.outbox.store.jooq;

import dev.outbox.servers.PostgresVersion;
import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract on PostgreSQL. */
@Tag("postgres")
class PostgresTckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return PostgresHarness.ofTck(PostgresVersion.V17);
    }
}
