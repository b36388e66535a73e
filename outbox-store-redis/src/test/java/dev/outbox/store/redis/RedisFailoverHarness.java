package dev.outbox.store.redis;

import dev.outbox.tck.FailoverHarness;
import dev.outbox.tck.FailoverServer;
import java.io.IOException;

/** Outboxes on one server, and on a master with a replica, which a sentinel promotes. */
public final class RedisFailoverHarness extends RedisHarness implements FailoverHarness {
    @Override
    public FailoverServer startFailoverServer() throws IOException {
        return LaggingReplica.start();
    }
}
