package dev.outbox.store.redis;

import dev.outbox.Codecs;
import dev.outbox.OutboxListener;
import dev.outbox.Receipt;
import dev.outbox.RetryPolicy;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A relay in a process of its own, which says on its output what {@link RelayProcess} understands. Arguments: URL, workers, batch
 * size, the longest time in ms that its broker takes for a message, then options as {@code name=value}. The end of its input stops
 * it.
 */
final class RelayMain {
    /** Now and then a message fails, so that partitions are delayed and attempts counted while faults happen. */
    private static final int FAILS_ONE_IN = 200;

    private RelayMain() {}

    public static void main(String[] args) throws Exception {
        int workers = Integer.parseInt(args[1]);
        long broker = Long.parseLong(args[3]) * 1_000_000;
        StoreOptions options = StoreOptions.defaults();
        for (int i = 4; i < args.length; i++) {
            int end = args[i].indexOf('=');
            options = options.with(args[i].substring(0, end), args[i].substring(end + 1));
        }
        Topic<String> topic = Topic.builder(Load.TOPIC, Codecs.text())
                .publisher(message -> {
                    ThreadLocalRandom random = ThreadLocalRandom.current();
                    if (broker > 0) {
                        LockSupport.parkNanos(random.nextLong(broker));
                    }
                    if (random.nextInt(FAILS_ONE_IN) == 0) {
                        throw new IOException("the broker is away");
                    }
                    return Receipt.of(message.id());
                })
                .retry(RetryPolicy.defaults()
                        .withUnlimitedAttempts()
                        .withInitialDelay(Duration.ofMillis(5))
                        .withMaxDelay(Duration.ofMillis(50)))
                .build();
        OutboxListener errors = new OutboxListener() {
            @Override
            public void storeFailed(StoreFailed event) {
                say("X " + event.step() + " " + String.valueOf(event.error()).replaceAll("\\s+", " "));
            }
        };
        try (Store store = new Recorded(open(args[0], options));
                Relay relay = Relay.builder(store)
                        .topic(topic)
                        .workers(workers)
                        .batchSize(Integer.parseInt(args[2]))
                        .maxPollInterval(Duration.ofMillis(50))
                        .listener(errors)
                        .build()) {
            say("S");
            relay.start();
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            while (in.readLine() != null) {
                // until it ends
            }
        }
        say("E");
    }

    /** As whoever starts a relay does: the server may have been killed a moment ago. */
    private static Store open(String url, StoreOptions options) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
        while (true) {
            try {
                return Stores.open(url, options);
            } catch (StoreException e) {
                if (System.nanoTime() - deadline > 0) {
                    throw e;
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
            }
        }
    }

    /** Whole lines, at once. */
    static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
