package dev.outbox.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.servers.NatsServer;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The same with brokers instead of the file: what their consumers have read is counted. */
@Timeout(300)
class QuickstartBrokersTest {
    @TempDir
    Path dir;

    @Test
    @Tag("nats")
    void aConsumerOfNatsGetsEveryMessage() {
        runs("nats", "broker   nats at nats://");
    }

    @Test
    @Tag("versions")
    @Tag("nats")
    void aBrokerThatIsThereIsUsed() {
        String url = NatsServer.shared().url();
        runs("nats=" + url, "broker   nats at " + url);
    }

    @Test
    @Tag("versions")
    void aConsumerOfKafkaGetsEveryMessage() {
        runs("kafka", "broker   kafka at 127.0.0.1:");
    }

    @Test
    @Tag("versions")
    @Tag("rabbitmq")
    void aConsumerOfRabbitGetsEveryMessage() {
        runs("rabbitmq", "broker   rabbitmq at amqp://");
    }

    @Test
    @Tag("versions")
    void aConsumerOfSqsGetsEveryMessage() {
        runs("sqs", "broker   sqs at http://127.0.0.1:");
    }

    private void runs(String broker, String shown) {
        QuickstartRun run = QuickstartRun.of("--dir", dir.toString(), "--broker", broker);
        run.assertGood(QuickstartTest.AUTHORISED, QuickstartTest.DECLINED);
        run.assertKilledInTheMiddle(QuickstartTest.AUTHORISED);
        assertTrue(run.out().contains(shown), run.out());
    }
}
