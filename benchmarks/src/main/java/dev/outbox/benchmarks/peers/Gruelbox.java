package dev.outbox.benchmarks.peers;

import com.gruelbox.transactionoutbox.Dialect;
import com.gruelbox.transactionoutbox.Instantiator;
import com.gruelbox.transactionoutbox.Persistor;
import com.gruelbox.transactionoutbox.Submitter;
import com.gruelbox.transactionoutbox.TransactionManager;
import com.gruelbox.transactionoutbox.TransactionOutbox;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;

/**
 * {@code com.gruelbox:transactionoutbox-core}. Its background worker flushes until nothing is left; here with a pool of
 * eight threads, where by default there are as many as cores, and its standard batch of 4096.
 */
public final class Gruelbox implements Peer {
    private static final int THREADS = 8;

    /** What is scheduled: public because it is proxied. */
    public interface Orders {
        /** Handles one message. */
        void placed(String payload);
    }

    private final HikariDataSource pool;
    private final TransactionManager transactions;
    private final TransactionOutbox outbox;
    private final ExecutorService executor = Executors.newFixedThreadPool(THREADS);
    private final Semaphore settled = new Semaphore(0);
    private final String payload;
    private volatile boolean draining;

    /** @param bytes how large a payload is */
    public Gruelbox(String url, int bytes) {
        HikariConfig configuration = new HikariConfig();
        configuration.setJdbcUrl(url);
        configuration.setMaximumPoolSize(THREADS + 2);
        pool = new HikariDataSource(configuration);
        payload = "x".repeat(bytes);
        transactions = TransactionManager.fromDataSource(pool);
        Orders handler = message -> {};
        Submitter submitter = (entry, work) -> {
            if (draining) {
                executor.execute(() -> {
                    work.accept(entry);
                    settled.release();
                });
            }
        };
        outbox = TransactionOutbox.builder()
                .transactionManager(transactions)
                .persistor(Persistor.forDialect(Dialect.POSTGRESQL_9))
                .instantiator(Instantiator.using(type -> handler))
                .submitter(submitter)
                .build();
    }

    @Override
    public String name() {
        return "gruelbox-4.2.268";
    }

    @Override
    public int batch() {
        return 4096;
    }

    @Override
    public void fill(int messages) throws SQLException {
        persistAfterTruncation();
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "INSERT INTO txno_outbox (id, uniquerequestid, invocation, lastattempttime, nextattempttime,"
                            + " attempts, blocked, processed, version)"
                            + " SELECT gen_random_uuid(), uniquerequestid, invocation, lastattempttime,"
                            + " now() - interval '1 minute', attempts, blocked, processed, version"
                            + " FROM txno_outbox, generate_series(1, " + messages + ")");
            statement.execute("DELETE FROM txno_outbox WHERE nextattempttime > now()");
            statement.execute("VACUUM ANALYZE txno_outbox");
        }
    }

    private void persistAfterTruncation() throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("TRUNCATE txno_outbox");
        }
        persist(1, 1);
    }

    @Override
    public void drain(int messages) throws InterruptedException {
        draining = true;
        try {
            while (outbox.flush()) {
                // until there is nothing more
            }
            settled.acquire(messages);
        } finally {
            draining = false;
        }
    }

    @Override
    public void persist(int count, int messages) {
        for (int t = 0; t < count; t++) {
            transactions.inTransaction(() -> {
                for (int m = 0; m < messages; m++) {
                    outbox.schedule(Orders.class).placed(payload);
                }
            });
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
        pool.close();
    }
}
