package dev.outbox.histories.brokers;

import dev.outbox.servers.KafkaCluster;
import dev.outbox.servers.KafkaServer;
import dev.outbox.servers.NatsCluster;
import dev.outbox.servers.NatsServer;
import dev.outbox.servers.PostgresServer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Relays between PostgreSQL and each broker, while relays and brokers are killed, paused and cut off: every fault once, or
 * as many minutes as {@code outbox.history.minutes} says. {@code outbox.history.seed} repeats the choices of a run.
 */
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class BrokerHistoryTest {
    private static final int MINUTES = Integer.getInteger("outbox.history.minutes", 0);
    private static final long SEED = Long.getLong("outbox.history.seed", System.currentTimeMillis() % 1_000_000);

    @Test
    @Tag("kafka")
    void kafka() throws Exception {
        try (Broker broker = new KafkaBroker(KafkaServer.start())) {
            run("kafka", broker);
        }
    }

    /** One node after the other is hurt. */
    @Test
    @Tag("kafka")
    @Tag("versions")
    void kafkaOfThreeNodes() throws Exception {
        try (Broker broker = new KafkaBroker(KafkaCluster.start())) {
            run("kafka-of-three-nodes", broker);
        }
    }

    @Test
    @Tag("rabbitmq")
    void rabbitmq() throws Exception {
        try (Broker broker = new RabbitBroker()) {
            run("rabbitmq", broker);
        }
    }

    @Test
    @Tag("nats")
    void nats() throws Exception {
        try (Broker broker = new NatsBroker(NatsServer.packaged())) {
            run("nats", broker);
        }
    }

    /** One server after the other is hurt. */
    @Test
    @Tag("nats")
    @Tag("versions")
    void natsOfThreeServers() throws Exception {
        try (Broker broker = new NatsBroker(NatsCluster.start())) {
            run("nats-of-three-servers", broker);
        }
    }

    @Test
    @Tag("sqs")
    @Tag("versions")
    void sqs() throws Exception {
        try (Broker broker = new SqsBroker()) {
            run("sqs", broker);
        }
    }

    private static void run(String name, Broker broker) throws Exception {
        PostgresServer database = PostgresServer.shared();
        String url = database.newDatabase();
        try {
            System.out.println("history broker=" + name + " " + new BrokerHistory(url, broker, SEED).run(MINUTES));
        } finally {
            database.dropDatabase(url);
        }
    }
}
