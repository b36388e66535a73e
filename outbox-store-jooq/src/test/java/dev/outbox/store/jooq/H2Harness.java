package dev.outbox.store.jooq;

import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.WriteTransaction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;

/** Outboxes in files of their own, open to several processes. */
public final class H2Harness implements StoreHarness {
    private static final String START = "jdbc:h2:file:";
    private static final String END = "/outbox;AUTO_SERVER=TRUE";

    @Override
    public String createOutbox() throws IOException {
        String address = START + Files.createTempDirectory("outbox-h2") + END;
        open(address).close();
        return address;
    }

    @Override
    public Store open(String address) {
        return Stores.open(address, StoreOptions.defaults().workers(4));
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
    public Optional<String> backend(String address) throws SQLException {
        return Optional.of(Product.of(address));
    }

    @Override
    public void dropOutbox(String address) throws IOException {
        Path directory = Path.of(address.substring(START.length(), address.length() - END.length()));
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
