package dev.outbox.tck;

import dev.outbox.tck.internal.record.Inconclusive;
import org.jspecify.annotations.Nullable;

/** The server that the tests of a class may kill: started for the first of them, closed after the last. */
final class ServerOfClass {
    private @Nullable KillableServer server;

    synchronized KillableServer get(KillableServerHarness harness) {
        KillableServer known = server;
        if (known == null) {
            try {
                known = harness.startServer();
            } catch (Exception e) {
                throw new Inconclusive(harness.getClass().getName() + ".startServer() failed", e);
            }
            server = known;
        }
        return known;
    }

    synchronized void close() throws Exception {
        if (server != null) {
            server.close();
        }
    }
}
