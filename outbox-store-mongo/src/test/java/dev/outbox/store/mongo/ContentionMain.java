package dev.outbox.store.mongo;

import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import java.time.Duration;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * A process of eight threads that take, settle and close for as long as it lives, and say what they did: {@code closed}
 * or {@code lost}, when the checkout returned and when close was called, by a clock that all processes of a machine
 * share, and which messages.
 */
final class ContentionMain {
    private static final int THREADS = 8;

    private ContentionMain() {}

    public static void main(String[] args) {
        Store store = Stores.open(
                args[0], StoreOptions.defaults().with(MongoOutbox.LEASE, Duration.ofMillis(Long.parseLong(args[1]))));
        for (int i = 0; i < THREADS; i++) {
            Random random = new Random(i);
            new Thread(() -> work(store, random), "worker-" + i).start();
        }
        say("ready");
    }

    private static void work(Store store, Random random) {
        while (true) {
            try (MessageBatch batch = store.checkout(Set.of(TestOutbox.TOPIC), 3)) {
                long opened = System.nanoTime();
                if (batch.messages().isEmpty()) {
                    LockSupport.parkNanos(1_000_000);
                    continue;
                }
                batch.messages().forEach(m -> batch.markPublished(m, null));
                say("holds");
                LockSupport.parkNanos(random.nextInt(60_000_000)); // a publisher, in which pauses are to fall
                String what = opened + " " + System.nanoTime() + " "
                        + batch.messages().stream().map(ContentionMain::name).collect(Collectors.joining(" "));
                say(close(batch) + " " + what);
            } catch (OutboxException e) {
                say("failed " + e.getMessage().lines().findFirst().orElse(""));
            }
        }
    }

    private static String close(MessageBatch batch) {
        try {
            batch.close();
            return "closed";
        } catch (HoldLostException e) {
            return "lost";
        } catch (OutboxException e) {
            return "unknown";
        }
    }

    private static String name(PersistedMessage message) {
        return message.id() + "/" + message.partition();
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
