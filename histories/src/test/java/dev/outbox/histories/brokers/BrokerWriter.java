package dev.outbox.histories.brokers;

import dev.outbox.Codecs;
import dev.outbox.Outbox;
import dev.outbox.Topic;
import dev.outbox.TransactionalPublisher;
import dev.outbox.processes.Await;
import dev.outbox.store.jooq.JdbcOutbox;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;

/** Writes messages in transactions, those of a key in the order of their numbers, and notes what it has committed. */
final class BrokerWriter implements Callable<List<String>> {
    private static final int KEYS = 5;
    private static final Topic<String> TOPIC = Topic.builder(BrokerRelayMain.TOPIC, Codecs.text())
            .key(BrokerRelayMain::key)
            .partitions(BrokerRelayMain.PARTITIONS)
            .build();

    private final String url;
    private final int number;
    private final Random random;
    private volatile boolean stopped;

    BrokerWriter(String url, int number, long seed) {
        this.url = url;
        this.number = number;
        this.random = new Random(seed + number);
    }

    void stop() {
        stopped = true;
    }

    @Override
    public List<String> call() throws Exception {
        List<String> committed = new ArrayList<>();
        int sequence = 0;
        try (Connection connection = DriverManager.getConnection(url)) {
            connection.setAutoCommit(false);
            TransactionalPublisher<String> publisher = Outbox.bind(TOPIC, JdbcOutbox.persist(connection));
            while (!stopped) {
                List<String> texts = new ArrayList<>();
                for (int messages = 1 + random.nextInt(4); messages > 0; messages--) {
                    texts.add("w" + number + "k" + random.nextInt(KEYS) + " " + ++sequence);
                }
                texts.forEach(publisher::publish);
                if (random.nextInt(10) == 0) {
                    connection.rollback();
                } else {
                    connection.commit();
                    committed.addAll(texts);
                }
                Await.passed(Duration.ofMillis(random.nextInt(20)));
            }
        }
        return committed;
    }
}
