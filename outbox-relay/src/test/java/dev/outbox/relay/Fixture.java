package dev.outbox.relay;

import static org.junit.jupiter.api.Assertions.fail;

import dev.outbox.Codecs;
import dev.outbox.Operations;
import dev.outbox.Outbox;
import dev.outbox.Receipt;
import dev.outbox.RetryPolicy;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.store.memory.MemoryOutbox;
import dev.outbox.store.memory.MemoryTransaction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** An outbox with messages {@code key:text}, whose partition is chosen by the key. */
final class Fixture {
    static final RetryPolicy AT_ONCE = RetryPolicy.defaults().withInitialDelay(Duration.ZERO);
    static final RetryPolicy LATER =
            RetryPolicy.defaults().withInitialDelay(Duration.ofHours(1)).withMaxDelay(Duration.ofHours(1));

    final MemoryOutbox outbox = new MemoryOutbox();
    final Store store = outbox.store();

    static Topic.Builder<String> topic(String name) {
        return Topic.builder(name, Codecs.text()).key(m -> m.substring(0, m.indexOf(':')));
    }

    /** Commits messages on a topic, all in one transaction, and returns their ids. */
    List<String> commit(Topic<String> topic, String... messages) {
        MemoryTransaction tx = outbox.begin();
        try {
            List<String> ids = new ArrayList<>();
            for (String message : messages) {
                ids.add(Outbox.bind(topic, MemoryOutbox.persist(tx)).publish(message));
            }
            tx.commit();
            return ids;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Where a topic puts a message. */
    static int partitionOf(Topic<String> topic, String message) {
        Fixture other = new Fixture();
        other.commit(topic, message);
        return other.operations().backlog().get(0).partition();
    }

    /** A relay that no pause of a busy machine makes end a batch, or give up its publishers, too early. */
    static Relay.Builder relay(Store store) {
        return Relay.builder(store).maxBatchTime(Duration.ofMinutes(2)).shutdownTimeout(Duration.ofMinutes(2));
    }

    Operations operations() {
        return Operations.of(store);
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                fail("Still not so after 120 s: " + what);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    /** The broker of a test: keeps what it was given, in order. */
    static final class Broker {
        private final List<String> received = new ArrayList<>();

        synchronized Receipt take(String message) {
            received.add(message);
            return Receipt.of("b" + received.size());
        }

        synchronized List<String> received() {
            return List.copyOf(received);
        }
    }
}
