package dev.outbox.benchmarks.peers;

import io.namastack.outbox.Outbox;
import io.namastack.outbox.OutboxProcessingScheduler;
import io.namastack.outbox.handler.OutboxRecordMetadata;
import io.namastack.outbox.handler.OutboxTypedHandler;
import io.namastack.outbox.partition.PartitionCoordinator;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * {@code io.namastack:namastack-outbox-starter-jdbc} in an application of Spring Boot, with eight threads, batches of
 * 500 keys instead of 10, completed records deleted instead of kept, and no pause between two polls. Messages are of
 * 1000 customers, who are their keys.
 */
public final class Namastack implements Peer {
    /** A message. */
    public record OrderPlaced(String customer, String note) {}

    /** The application. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    public static class Application {
        private final AtomicInteger handled = new AtomicInteger();

        /** For Spring. */
        public Application() {}

        @Bean
        AtomicInteger handled() {
            return handled;
        }

        @Bean
        OutboxTypedHandler<OrderPlaced> handler() {
            return new Handler(handled);
        }
    }

    /** Counts, and does nothing else. */
    public static final class Handler implements OutboxTypedHandler<OrderPlaced> {
        private final AtomicInteger handled;

        Handler(AtomicInteger handled) {
            this.handled = handled;
        }

        @Override
        public void handle(OrderPlaced payload, OutboxRecordMetadata metadata) {
            handled.incrementAndGet();
        }
    }

    private final ConfigurableApplicationContext context;
    private final OutboxProcessingScheduler scheduler;
    private final Outbox outbox;
    private final TransactionTemplate transactions;
    private final DataSource pool;
    private final AtomicInteger handled;
    private final String note;
    private int scheduled;

    /** @param bytes how large a payload is */
    public Namastack(String url, int bytes) {
        SpringApplication application = new SpringApplication(Application.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        application.setRegisterShutdownHook(false);
        application.setLogStartupInfo(false);
        application.setDefaultProperties(Map.of(
                "spring.main.banner-mode", "off",
                "spring.datasource.url", url,
                "spring.datasource.hikari.maximum-pool-size", "10",
                "namastack.outbox.polling.batch-size", "500",
                // Polled without a pause, by hand.
                "namastack.outbox.polling.fixed.interval", "1h",
                "namastack.outbox.processing.delete-completed-records", "true",
                "namastack.outbox.processing.executor-core-pool-size", "8",
                "namastack.outbox.processing.executor-max-pool-size", "8"));
        context = application.run();
        scheduler = context.getBean(OutboxProcessingScheduler.class);
        outbox = context.getBean(Outbox.class);
        transactions = context.getBean(TransactionTemplate.class);
        pool = context.getBean(DataSource.class);
        handled = context.getBean(AtomicInteger.class);
        note = "x".repeat(bytes - "{\"customer\":\"c-123\",\"note\":\"\"}".length());
        PartitionCoordinator coordinator = context.getBean(PartitionCoordinator.class);
        while (coordinator.getAssignedPartitionNumbers().isEmpty()) {
            LockSupport.parkNanos(10_000_000);
        }
    }

    @Override
    public String name() {
        return "namastack-1.6.0";
    }

    @Override
    public int batch() {
        return 1000;
    }

    @Override
    public void fill(int messages) throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("TRUNCATE outbox_record");
            scheduled = 0;
            persist(1, Math.min(messages, 1000));
            int rounds = messages / Math.min(messages, 1000);
            statement.execute("INSERT INTO outbox_record SELECT gen_random_uuid(), status, record_key, record_type,"
                    + " payload, context, created_at + i * interval '1 ms', completed_at, failure_count,"
                    + " failure_reason, next_retry_at, partition_no, handler_id"
                    + " FROM outbox_record, generate_series(1, " + (rounds - 1) + ") i");
            statement.execute("VACUUM ANALYZE outbox_record");
        }
    }

    @Override
    public void drain(int messages) {
        int before = handled.get();
        while (handled.get() - before < messages) {
            scheduler.process();
        }
    }

    @Override
    public void persist(int count, int messages) {
        for (int t = 0; t < count; t++) {
            transactions.executeWithoutResult(status -> {
                for (int m = 0; m < messages; m++) {
                    String customer = "c-" + scheduled++ % 1000;
                    outbox.schedule(new OrderPlaced(customer, note), customer);
                }
            });
        }
    }

    @Override
    public void close() {
        context.close();
    }
}
