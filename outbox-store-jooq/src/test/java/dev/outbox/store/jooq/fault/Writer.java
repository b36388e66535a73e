package dev.outbox.store.jooq.fault;

import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.processes.SharedLog;
import dev.outbox.store.jooq.JdbcOutbox;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A thread of the application: in each transaction a row of its own table and some messages, numbered in the order in
 * which they are written. What became of the transaction goes into the log; if it cannot know, it says so.
 */
final class Writer implements Runnable {
    private static final int ROLLS_BACK_ONE_IN = 5;

    private final int number;
    private final String url;
    private final Settings settings;
    private final SharedLog<Line> log;
    private final Queue<Exception> failures;
    private final Random random;
    private volatile boolean stopping;

    private int transaction;
    private int sequence;

    Writer(int number, String url, Settings settings, SharedLog<Line> log, Queue<Exception> failures) {
        this.number = number;
        this.url = url;
        this.settings = settings;
        this.log = log;
        this.failures = failures;
        this.random = new Random(number);
    }

    void stop() {
        stopping = true;
    }

    @Override
    public void run() {
        Connection connection = null;
        while (!stopping) {
            try {
                if (connection == null) {
                    connection = connect();
                }
                write(connection);
            } catch (SQLException | OutboxException e) {
                failures.add(e);
                close(connection);
                connection = null;
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50)); // the server may be away
            }
        }
        close(connection);
    }

    private Connection connect() throws SQLException {
        Connection connection = DriverManager.getConnection(url);
        connection.setAutoCommit(false);
        return connection;
    }

    private static void close(@Nullable Connection connection) {
        try {
            if (connection != null) {
                connection.close();
            }
        } catch (SQLException e) {
            // it is gone
        }
    }

    private void write(Connection connection) throws SQLException {
        transaction++;
        List<String> messages = new ArrayList<>();
        String outcome = "A"; // as long as nothing was said of a commit, there cannot be one
        try {
            try (PreparedStatement row = connection.prepareStatement("INSERT INTO shop (writer, tx) VALUES (?, ?)")) {
                row.setInt(1, number);
                row.setInt(2, transaction);
                row.executeUpdate();
            }
            for (int n = 1 + random.nextInt(4); n > 0; n--) {
                int partition = random.nextInt(settings.partitions());
                String text = number + ":" + ++sequence;
                String id = JdbcOutbox.persist(connection)
                        .persist(new OutgoingMessage(
                                Settings.TOPIC, partition, null, Map.of(), text.getBytes(StandardCharsets.UTF_8)));
                messages.add(partition + ":" + sequence + ":" + id);
                // Time for others to write later and commit earlier; and not to keep the machine from anything else.
                LockSupport.parkNanos(random.nextInt(1_000_000));
            }
            if (random.nextInt(ROLLS_BACK_ONE_IN) == 0) {
                connection.rollback();
            } else {
                outcome = "U";
                connection.commit();
                outcome = "C";
            }
        } finally {
            log.add(Line.of('T', number, transaction, outcome, String.join(",", messages)));
        }
    }
}
