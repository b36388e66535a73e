package dev.outbox.store.jooq;

import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.PostgresServer;
import dev.outbox.servers.PostgresVersion;
import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.WriteTransaction;
import java.net.InetSocketAddress;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Outboxes in databases of their own; those of the TCK are emptied and used again. */
public final class PostgresHarness implements NetworkHarness {
    private static final Map<PostgresVersion, EmptiedDatabases> EMPTIED = Stream.of(PostgresVersion.values())
            .collect(Collectors.toMap(
                    version -> version, version -> new EmptiedDatabases(version, StoreOptions.defaults())));

    private final @Nullable EmptiedDatabases emptied;

    /** On a server of the default version, or on any, as other processes do, which make no outboxes. */
    public PostgresHarness() {
        this(null);
    }

    private PostgresHarness(@Nullable EmptiedDatabases emptied) {
        this.emptied = emptied;
    }

    /** For tests that change nothing but what is in the tables of an outbox. */
    static PostgresHarness ofTck(PostgresVersion version) {
        return new PostgresHarness(EMPTIED.get(version));
    }

    @Override
    public String createOutbox() throws SQLException {
        if (emptied != null) {
            return emptied.take();
        }
        String address = PostgresServer.shared().newDatabase();
        Stores.open(address, StoreOptions.defaults().withCreateSchema(true)).close();
        return address;
    }

    @Override
    public Store open(String address) {
        return Stores.open(address);
    }

    @Override
    public WriteTransaction begin(String address) throws SQLException {
        return new JdbcTransaction(address);
    }

    @Override
    public Optional<Duration> lease() {
        return Optional.empty();
    }

    @Override
    public InetSocketAddress endpoint(String address) {
        return JdbcAddress.endpoint(address);
    }

    @Override
    public String through(String address, InetSocketAddress proxy) {
        return JdbcAddress.through(address, proxy);
    }

    @Override
    public Optional<String> backend(String address) throws SQLException {
        return Optional.of(Product.of(address));
    }

    @Override
    public void dropOutbox(String address) throws SQLException {
        JdbcTransaction.closeIdle(address);
        if (emptied != null) {
            emptied.giveBack(address);
        } else {
            PostgresServer.shared().dropDatabase(address);
        }
    }
}
