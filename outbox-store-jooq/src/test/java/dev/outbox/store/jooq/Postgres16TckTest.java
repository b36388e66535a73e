package dev.outbox.store.jooq;

import dev.outbox.servers.PostgresVersion;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract on PostgreSQL 16. */
@Tag("postgres")
@Tag("postgres-16")
class Postgres16TckTest extends StoreTck {
    @Override
    public StoreHarness harness() {
        return new PostgresHarness(PostgresVersion.V16);
    }
}
