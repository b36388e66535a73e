package dev.outbox.histories.brokers;

import dev.outbox.Codecs;
import dev.outbox.Store;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import java.io.IOException;
import java.time.Duration;

/**
 * A relay in a process of its own. Arguments: the URL of the database, the address of the broker. It ends when its
 * standard input does.
 */
final class BrokerRelayMain {
    static final String TOPIC = "history";
    static final int PARTITIONS = 6;

    private BrokerRelayMain() {}

    public static void main(String[] arguments) throws Exception {
        Publishers.Opened opened = Publishers.open(arguments[1]);
        Topic<String> topic = Topic.builder(TOPIC, Codecs.text())
                .key(BrokerRelayMain::key)
                .partitions(PARTITIONS)
                .asyncPublisher(opened.publisher())
                .inFlight(opened.inFlight())
                .publishTimeout(Duration.ofSeconds(10))
                .build();
        try (Store store = Stores.open(arguments[0]);
                Relay relay = Relay.builder(store)
                        .topic(topic)
                        .workers(2)
                        .batchSize(40)
                        .maxPollInterval(Duration.ofMillis(100))
                        .build()) {
            relay.start();
            awaitEndOfInput();
        }
        opened.end().close();
        System.exit(0);
    }

    /** The key of a text that is a key, a blank and a number. */
    static String key(String text) {
        return text.substring(0, text.indexOf(' '));
    }

    private static void awaitEndOfInput() throws IOException {
        while (System.in.read() >= 0) {
            // it says nothing
        }
    }
}
