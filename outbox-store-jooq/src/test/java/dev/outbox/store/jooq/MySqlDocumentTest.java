package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.Store;
import dev.outbox.Stores;
import dev.outbox.tck.StoreHarness;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What docs/MYSQL.md says can be done is done, on the server that it is said of. */
@Timeout(300)
class MySqlDocumentTest {
    private static final Pattern BLOCK =
            Pattern.compile("(?:<!-- (mysql|mariadb) -->\\n)?( *)```sql\\n(.*?)\\n *```", Pattern.DOTALL);

    /** On MySQL. */
    @Nested
    @Tag("mysql")
    class OnMySql extends OnEither {
        OnMySql() {
            super(new MySqlHarness(), "mysql");
        }
    }

    /** On MariaDB. */
    @Nested
    @Tag("mariadb")
    class OnMariaDb extends OnEither {
        OnMariaDb() {
            super(new MariaDbHarness(), "mariadb");
        }
    }

    /** On either. */
    abstract static class OnEither {
        private final StoreHarness harness;
        private final String server;
        private String address = "";

        OnEither(StoreHarness harness, String server) {
            this.harness = harness;
            this.server = server;
        }

        @BeforeEach
        void create() throws Exception {
            address = harness.createOutbox();
        }

        @AfterEach
        void drop() throws Exception {
            harness.dropOutbox(address);
        }

        private List<String> statements() throws Exception {
            List<String> statements = new ArrayList<>();
            Matcher block = BLOCK.matcher(Files.readString(Path.of("..", "docs", "MYSQL.md")));
            while (block.find()) {
                if (block.group(1) == null || block.group(1).equals(server)) {
                    statements.add(block.group(3).strip());
                }
            }
            return statements;
        }

        @Test
        void everyStatementRuns() throws Exception {
            List<String> statements = statements();
            assertEquals(7, statements.size(), statements.toString());
            try (Connection connection = DriverManager.getConnection(address);
                    Statement statement = connection.createStatement()) {
                for (String sql : statements) {
                    statement.execute(sql.substring(0, sql.length() - 1));
                }
            }
        }

        /** The connection that the document's statement names is the one that holds the batch. */
        @Test
        void whoHoldsAPartitionIsFoundAndEnded() throws Exception {
            try (Connection connection = DriverManager.getConnection(address);
                    Statement statement = connection.createStatement();
                    Store store = Stores.open(address);
                    Store other = Stores.open(address)) {
                connection.setAutoCommit(false);
                JdbcOutbox.persist(connection).persist(StoreTest.message(0, "a"));
                connection.commit();
                connection.setAutoCommit(true);
                String who = statements().stream()
                        .filter(sql -> sql.contains("AS connection"))
                        .findFirst()
                        .orElseThrow();
                MessageBatch batch = store.checkout(Set.of(StoreTest.TOPIC), 10);
                batch.markPublished(batch.messages().get(0), null);
                statement.execute("KILL " + holders(statement, who).get(0));
                List<String> taken = new ArrayList<>();
                long deadline = System.nanoTime() + 20_000_000_000L;
                while (taken.isEmpty() && System.nanoTime() - deadline < 0) {
                    taken.addAll(StoreTest.publishAll(other, 10));
                }
                assertEquals(List.of("a"), taken);
                assertThrows(OutboxException.class, batch::close);
            }
        }

        /** What is shown of transactions may be a moment old. */
        private static List<Long> holders(Statement statement, String who) throws SQLException {
            List<Long> holders = new ArrayList<>();
            long deadline = System.nanoTime() + 20_000_000_000L;
            while (holders.isEmpty()) {
                assertTrue(System.nanoTime() - deadline < 0, "nobody is found");
                try (ResultSet rows = statement.executeQuery(who.substring(0, who.length() - 1))) {
                    while (rows.next()) {
                        holders.add(rows.getLong(1));
                    }
                }
            }
            assertEquals(1, holders.stream().distinct().count(), holders.toString());
            return holders;
        }
    }
}
