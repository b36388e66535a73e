package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.Codecs;
import dev.outbox.Delivery;
import dev.outbox.Outbox;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Topic;
import dev.outbox.TransactionalPublisher;
import dev.outbox.relay.Relay;
import java.sql.Connection;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Publishers that use the pool of the relay's store, as they do in most services, and find it empty. */
@Timeout(60)
class SharedPoolTest {
    private static final int MESSAGES = 40;
    private static final int WORKERS = 4;

    private final Queue<String> triedAgain = new ConcurrentLinkedQueue<>();
    private final Set<String> published = ConcurrentHashMap.newKeySet();

    @Test
    void anEmptyPoolIsNoFaultOfAMessage() throws Exception {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl("jdbc:h2:mem:shared-pool;DB_CLOSE_DELAY=-1");
        config.setMaximumPoolSize(WORKERS + 1);
        config.setConnectionTimeout(250); // the least that HikariCP takes
        try (HikariDataSource pool = new HikariDataSource(config)) {
            JdbcOutbox.createSchema(pool);
            Topic<String> topic = Topic.builder("orders", Codecs.text())
                    .key(message -> message)
                    .partitions(40)
                    .publisher(delivery -> publish(pool, delivery))
                    .build();
            write(pool, topic);
            try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults());
                    Relay relay =
                            Relay.builder(store).topic(topic).workers(WORKERS).build()) {
                relay.start();
                while (published.size() < MESSAGES) {
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
                }
                assertEquals(List.of(), List.copyOf(triedAgain), "messages that an attempt was counted of");
            }
        }
    }

    /** Sixteen of these at a time need more connections than there are, for longer than they wait for one. */
    private Receipt publish(HikariDataSource pool, Delivery<String> delivery) throws Exception {
        if (delivery.attempt() > 1) {
            triedAgain.add(delivery.message() + " at attempt " + delivery.attempt());
        }
        try (Connection connection = pool.getConnection()) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(150));
            assertTrue(connection.isValid(1));
        }
        published.add(delivery.message());
        return Receipt.taken();
    }

    private static void write(HikariDataSource pool, Topic<String> topic) throws Exception {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            TransactionalPublisher<String> bound = Outbox.bind(topic, JdbcOutbox.persist(connection));
            for (int i = 0; i < MESSAGES; i++) {
                bound.publish(Integer.toString(i));
            }
            connection.commit();
        }
    }
}
