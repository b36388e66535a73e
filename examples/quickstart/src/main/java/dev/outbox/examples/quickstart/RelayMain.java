package dev.outbox.examples.quickstart;

import dev.outbox.Store;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The second process: a relay and nothing else. Its arguments are the topic and the file to publish to. The database's
 * URL comes as the first line of standard input, because arguments can be read by everybody on the machine. The relay
 * runs until standard input ends, which it also does when the process that started it is killed.
 */
final class RelayMain {
    private RelayMain() {}

    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String url = in.readLine();
        if (url == null || args.length != 2) {
            throw new IllegalArgumentException(
                    "Expected a topic and a file as arguments, and a URL on standard input.");
        }
        try (DeliveryLog broker = DeliveryLog.open(Path.of(args[1]));
                Store store = Stores.open(url, Backend.options(url))) {
            Topic<Order> orders = OrderTopic.forRelay(args[0], broker);
            try (Relay relay = Relay.builder(store).topic(orders).workers(4).build()) {
                relay.start();
                while (in.read() >= 0) {
                    // Nothing more is expected; only the end matters.
                }
            }
        }
    }
}
