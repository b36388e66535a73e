package dev.outbox.examples.quickstart;

import dev.outbox.Store;
import dev.outbox.Stores;
import dev.outbox.relay.Relay;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/**
 * The second process: a relay and nothing else. Its argument is the topic. The database's URL and the broker come as
 * the first two lines of standard input, because everybody on the machine can read arguments. The relay runs until
 * standard input ends, which it also does when the process that started it is killed.
 */
final class RelayMain {
    private RelayMain() {}

    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String url = in.readLine();
        String broker = in.readLine();
        if (url == null || broker == null || args.length != 1) {
            throw new IllegalArgumentException(
                    "Expected a topic as argument, and a URL and a broker on standard input.");
        }
        try (Broker.Outlet outlet = BrokerKind.ofLine(broker).outlet(args[0]);
                Store store = Stores.open(url, Backend.options(url))) {
            try (Relay relay =
                    Relay.builder(store).topic(outlet.topic()).workers(4).build()) {
                relay.start();
                while (in.read() >= 0) {
                    // Nothing more is expected; only the end matters.
                }
            }
        }
    }
}
