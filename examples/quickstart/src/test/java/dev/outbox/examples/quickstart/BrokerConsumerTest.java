package dev.outbox.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.outbox.processes.Await;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BrokerConsumerTest {
    private static final String ADDRESS = "amqp://app:s3@cr/e t@host/shop";

    @TempDir
    Path dir;

    /** A broker whose client fails with a text. */
    private record Broken(String text) implements BrokerConsumer.Source {
        @Override
        public List<Delivered> next() throws IOException {
            throw new IOException(text);
        }

        @Override
        public boolean isAtEnd() {
            return false;
        }

        @Override
        public void close() {}
    }

    @Test
    void aFailureIsToldWithoutThePassword() throws Exception {
        AtomicReference<@Nullable Failure> told = new AtomicReference<>();
        try (Consumer consumer = BrokerConsumer.start(
                new Broken("no answer of " + ADDRESS), dir.resolve("log"), "rabbitmq at host", ADDRESS)) {
            Await.until("the failure", () -> {
                try {
                    return consumer.hasEverything();
                } catch (Failure e) {
                    told.set(e);
                    return true;
                }
            });
        }
        Failure failure = told.get();
        assertNotNull(failure);
        assertEquals(
                "Reading from rabbitmq at host failed: java.io.IOException: no answer of amqp://host/shop",
                failure.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "no answer of " + ADDRESS + ", java.io.IOException: no answer of amqp://host/shop",
        "no answer of amqp://app:s3@cret@host:5672, java.io.IOException: no answer of amqp://host:5672",
        "no answer of host, java.io.IOException: no answer of host",
        "no place e t@host/shop, java.io.IOException"
    })
    void aTextOfAClientHasNoPassword(String text, String shown) {
        assertEquals(shown, Failure.textOf(new IOException(text), ADDRESS));
    }
}
