package dev.outbox.store.jooq;

import dev.outbox.servers.DataDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.h2.api.ErrorCode;

/** Outboxes in files of their own, open to several processes. */
public final class H2Harness extends SqlHarness {
    private static final String START = "jdbc:h2:file:";
    private static final String END = "/outbox;AUTO_SERVER=TRUE";

    /**
     * The process that opens a file first is the server of all others: that is to be this one, which no test kills. What
     * becomes of the others if their server is killed, the histories under faults show.
     */
    private static final Map<String, Connection> OPEN = new ConcurrentHashMap<>();

    @Override
    public String createOutbox() throws IOException, SQLException {
        String address = START + DataDirectory.create("outbox-h2") + END;
        OPEN.put(address, DriverManager.getConnection(address));
        open(address).close();
        return address;
    }

    /** The file may be opened in another way from now on. */
    static void letGo(String address) throws SQLException {
        JdbcTransaction.closeIdle(address);
        Connection open = OPEN.remove(address);
        if (open != null) {
            open.close();
        }
    }

    @Override
    public void dropOutbox(String address) throws IOException, SQLException {
        JdbcTransaction.closeIdle(address);
        Connection open = OPEN.remove(address);
        if (open != null) {
            try (open;
                    Statement statement = open.createStatement()) {
                statement.execute("SHUTDOWN IMMEDIATELY"); // else it stays open for processes that were killed just now
            } catch (SQLException e) {
                if (e.getErrorCode() != ErrorCode.DATABASE_IS_CLOSED) { // which is what the answer may be
                    throw e;
                }
            }
        }
        Path directory = Path.of(address.substring(START.length(), address.length() - END.length()));
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
