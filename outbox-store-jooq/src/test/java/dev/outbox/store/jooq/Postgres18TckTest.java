package dev.outbox.store.jooq;

import dev.outbox.servers.PostgresVersion;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract on PostgreSQL 18. */
@Tag("postgres")
@Tag("postgres-18")
class Postgres18TckTest extends StoreTck {
    @Override
    public StoreHarness harness() {
        return new PostgresHarness(PostgresVersion.V18);
    }
}
