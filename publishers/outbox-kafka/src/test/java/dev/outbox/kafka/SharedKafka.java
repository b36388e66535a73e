package dev.outbox.kafka;

import dev.outbox.servers.KafkaServer;
import org.jspecify.annotations.Nullable;

/** The server of all tests of this JVM, which run one after the other. It ends with the JVM. */
final class SharedKafka {
    private static @Nullable KafkaServer server;

    private SharedKafka() {}

    static synchronized KafkaServer server() throws Exception {
        KafkaServer known = server;
        if (known == null) {
            known = KafkaServer.start();
            server = known;
        }
        return known;
    }
}
