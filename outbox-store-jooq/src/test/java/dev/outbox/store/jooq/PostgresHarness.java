package dev.outbox.store.jooq;

import dev.outbox.StoreOptions;
import dev.outbox.servers.KillableServer;
import dev.outbox.servers.PostgresServer;
import dev.outbox.servers.PostgresVersion;
import java.sql.SQLException;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Outboxes in databases of their own; those of the TCK are emptied and used again. */
public class PostgresHarness extends ServerHarness {
    private static final Map<PostgresVersion, EmptiedDatabases> EMPTIED = Stream.of(PostgresVersion.values())
            .collect(Collectors.toMap(
                    version -> version, version -> new EmptiedDatabases(version, StoreOptions.defaults())));

    private final @Nullable EmptiedDatabases emptied;

    /** On a server of the default version, or on any, as other processes do, which make no outboxes. */
    public PostgresHarness() {
        this(null);
    }

    PostgresHarness(@Nullable EmptiedDatabases emptied) {
        this.emptied = emptied;
    }

    /** For tests that change nothing but what is in the tables of an outbox. */
    static PostgresHarness ofTck(PostgresVersion version) {
        return new PostgresHarness(emptied(version));
    }

    static @Nullable EmptiedDatabases emptied(PostgresVersion version) {
        return EMPTIED.get(version);
    }

    @Override
    public String createOutbox() throws SQLException {
        return emptied == null ? super.createOutbox() : emptied.take();
    }

    @Override
    String newDatabase() throws SQLException {
        return PostgresServer.shared().newDatabase();
    }

    @Override
    KillableServer ownServer() throws Exception {
        return PostgresServer.packaged();
    }

    @Override
    void dropDatabase(String address) throws SQLException {
        if (emptied != null) {
            emptied.giveBack(address);
        } else {
            PostgresServer.shared().dropDatabase(address);
        }
    }
}
