package dev.outbox.histories;

import dev.outbox.processes.Await;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/** An administrator's statements, each on a connection of its own. */
record Sql(String url) {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    void execute(String... statements) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** Again and again, as long as locks are in the way, or the server is. */
    void insist(String... statements) throws Exception {
        SQLException[] last = new SQLException[1];
        boolean done = Await.within(PATIENCE, () -> {
            try {
                execute(statements);
                return true;
            } catch (SQLException e) {
                last[0] = e;
                return false;
            }
        });
        if (!done) {
            throw last[0];
        }
    }

    Set<String> texts(String query) throws SQLException {
        Set<String> texts = new HashSet<>();
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            while (rows.next()) {
                texts.add(rows.getString(1));
            }
        }
        return texts;
    }

    /** Keeps others from a table for a while, or gives up soon. */
    void lock(Duration time, String... statements) throws Exception {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            for (String sql : statements) {
                statement.execute(sql);
            }
            Await.passed(time);
            connection.rollback();
        }
    }

    /**
     * Has one message that cannot be read, for a while: it is written as any other, in the same transaction spoilt, and at last
     * repaired.
     */
    void spoil(Backend.Application application, Odd odd, Duration time, String spoiling) throws Exception {
        odd.write(application, () -> {}, () -> {
            try (Statement statement =
                    ((JdbcApplication) application).connection().createStatement()) {
                statement.execute(spoiling);
            }
        });
        Await.passed(time);
        insist("UPDATE outbox_message SET headers = NULL WHERE topic = '" + Odd.TOPIC + "' AND partition_no = "
                + Odd.PARTITION);
    }
}
