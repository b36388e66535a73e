package dev.outbox.store.jooq;

import dev.outbox.servers.PostgresVersion;
import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract on PostgreSQL 18. */
@Tag("postgres")
@Tag("postgres-18")
@Tag("versions")
class Postgres18TckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return PostgresHarness.ofTck(PostgresVersion.V18);
    }
}
