package dev.outbox.store.mongo;

import com.mongodb.MongoException;
import dev.outbox.OutboxException;
import dev.outbox.servers.MongoServer;
import dev.outbox.tck.FailoverHarness;
import dev.outbox.tck.FailoverServer;
import dev.outbox.tck.WriteTransaction;
import java.io.IOException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Outboxes on one member, and on three, of which another becomes the primary. */
public final class MongoFailoverHarness extends MongoHarness implements FailoverHarness {
    @Override
    public FailoverServer startFailoverServer() throws IOException, InterruptedException {
        return new Members(MongoServer.packaged(3));
    }

    /** One secondary lags: the primary and the other secondary are a majority. */
    private final class Members implements FailoverServer {
        private final MongoServer server;
        private @Nullable String address;
        private int lagging = -1;

        Members(MongoServer server) {
            this.server = server;
        }

        @Override
        public String createOutbox() {
            String made = MongoHarness.createOutbox(server);
            address = made;
            return made;
        }

        /** Commits and closes wait for a majority, and no member without them is elected. */
        @Override
        public boolean mayLoseWrites() {
            return false;
        }

        @Override
        public void lag() throws IOException {
            lagging = (server.awaitPrimary() + 1) % server.size();
            server.pause(lagging);
        }

        @Override
        public void failOver() throws Exception {
            server.kill(server.awaitPrimary());
            if (lagging >= 0) {
                server.resume(lagging);
            }
            server.awaitPrimary();
            TestOutbox.eventually("a transaction that commits at the new primary", () -> takesWrites() ? true : null);
        }

        @SuppressWarnings("try") // closing the transaction may throw an InterruptedException
        private boolean takesWrites() throws Exception {
            try (WriteTransaction transaction = begin(String.valueOf(address))) {
                transaction.rows().write("probe-" + UUID.randomUUID());
                transaction.commit();
                return true;
            } catch (MongoException | OutboxException e) {
                return false; // not yet
            }
        }

        @Override
        public void close() {
            if (address != null) {
                closeClients(address);
            }
            server.close();
        }
    }
}
