package dev.outbox.store.jooq.fault;

import dev.outbox.Codecs;
import dev.outbox.Delivery;
import dev.outbox.OutboxListener;
import dev.outbox.Receipt;
import dev.outbox.RetryPolicy;
import dev.outbox.Store;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.processes.SharedLog;
import dev.outbox.relay.Relay;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A relay in a process of its own. Its broker is the log. Arguments: name, log, workers, batch size. Standard input: the
 * URL, then {@code hold} (publishers stand still at their next message), {@code fail} (every message fails) and {@code go};
 * its end stops the relay.
 */
final class RelayMain {
    /** Now and then a message fails, so that partitions are delayed and attempts counted while faults happen. */
    private static final int FAILS_ONE_IN = 200;

    private final String name;
    private final SharedLog<Line> log;

    // Guarded by this.
    private boolean holding;

    private volatile boolean failing;

    private RelayMain(String name, SharedLog<Line> log) {
        this.name = name;
        this.log = log;
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String url = in.readLine();
        if (url == null) {
            return; // whoever started us is gone
        }
        try (SharedLog<Line> log = SharedLog.of(Path.of(args[1]), Line::parse)) {
            new RelayMain(args[0], log).run(url, in, Integer.parseInt(args[2]), Integer.parseInt(args[3]));
        }
    }

    private void run(String url, BufferedReader in, int workers, int batchSize) throws IOException {
        Topic<String> topic = Topic.builder(Settings.TOPIC, Codecs.text())
                .publisher(this::publish)
                .retry(RetryPolicy.defaults()
                        .withUnlimitedAttempts()
                        .withInitialDelay(Duration.ofMillis(5))
                        .withMaxDelay(Duration.ofMillis(50)))
                .build();
        OutboxListener errors = new OutboxListener() {
            @Override
            public void storeFailed(StoreFailed event) {
                log.add(Line.of('X', name, event.step(), event.error(), event.duration()));
            }
        };
        try (Store store = Stores.open(url);
                Relay relay = Relay.builder(store)
                        .topic(topic)
                        .workers(workers)
                        .batchSize(batchSize)
                        .maxPollInterval(Duration.ofMillis(50))
                        .listener(errors)
                        .build()) {
            log.add(Line.of('S', name, ProcessHandle.current().pid()));
            relay.start();
            for (String command = in.readLine(); command != null; command = in.readLine()) {
                failing = command.equals("fail");
                hold(command.equals("hold"));
            }
        }
        log.add(Line.of('E', name));
    }

    private synchronized void hold(boolean hold) {
        holding = hold;
        notifyAll();
    }

    private Receipt publish(Delivery<String> message) throws Exception {
        synchronized (this) {
            if (holding) {
                log.add(Line.of('H', name, message.partition(), message.message()));
            }
            while (holding) {
                wait();
            }
        }
        if (failing || ThreadLocalRandom.current().nextInt(FAILS_ONE_IN) == 0) {
            throw new IOException("the broker is away");
        }
        log.add(Line.of('D', name, message.topic(), message.partition(), message.id(), message.message()));
        return Receipt.of(message.id());
    }
}
