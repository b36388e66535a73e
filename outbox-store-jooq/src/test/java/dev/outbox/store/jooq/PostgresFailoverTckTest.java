package dev.outbox.store.jooq;

import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract when an asynchronous standby that lags takes the place of the server. */
@Tag("postgres")
@Tag("versions")
class PostgresFailoverTckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return new PostgresFailoverHarness();
    }
}
