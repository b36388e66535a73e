package dev.outbox.relay;

import static dev.outbox.relay.Fixture.await;
import static dev.outbox.relay.Fixture.topic;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.MessageBatch;
import dev.outbox.PermanentFailureException;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import dev.outbox.StoreException;
import dev.outbox.Topic;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How many lines a relay writes: some for each trouble, and never one for each message. */
@Timeout(300)
class RelayLogTest {
    private static final int MESSAGES = 300;

    private final Fixture fixture = new Fixture();
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final PrintStream before = System.err;
    private final long began = System.nanoTime();

    @BeforeEach
    void catchLog() {
        System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void letLogGo() {
        System.setErr(before);
    }

    private long lines(String text) {
        return log().lines().filter(line -> line.contains(text)).count();
    }

    private Topic<String> failing(Exception failure) {
        Topic<String> topic = topic("t")
                .partitions(MESSAGES)
                .publisher(d -> {
                    throw failure;
                })
                .build();
        for (int i = 0; i < MESSAGES; i++) {
            fixture.commit(topic, i + ":m");
        }
        return topic;
    }

    /** Each in a round of its own: several that fail in one would leave their topic out. */
    private void tryEach(Topic<String> topic) {
        try (Relay relay = Fixture.relay(fixture.store).topic(topic).build()) {
            for (int i = 0; i < 3 * MESSAGES; i++) {
                relay.processMessages(1);
            }
        }
    }

    private void assertTenAMinute(String text) {
        long minutes = TimeUnit.NANOSECONDS.toMinutes(System.nanoTime() - began);
        long lines = lines(text);
        assertTrue(lines >= 10 && lines <= 10 * (minutes + 1), this::log);
    }

    @Test
    void ofMessagesThatFailTenAMinute() {
        tryEach(failing(new IllegalStateException("of the test")));
        assertTenAMinute(" failed at attempt ");
    }

    @Test
    void ofMessagesThatDieTenAMinute() {
        tryEach(failing(new PermanentFailureException("of the test")));
        assertTenAMinute(" is given up at attempt ");
        assertEquals(0, fixture.operations().backlog().size());
    }

    /** Its topic is tried again and again, and said to be away once. */
    @Test
    void ofABrokerThatIsAwayOne() {
        AtomicInteger calls = new AtomicInteger();
        Topic<String> topic = topic("t")
                .partitions(64)
                .publisher(d -> {
                    calls.incrementAndGet();
                    throw new BrokerUnavailableException("of the test");
                })
                .build();
        for (int i = 0; i < 100; i++) {
            fixture.commit(topic, i + ":m");
        }
        try (Relay relay =
                Fixture.relay(fixture.store).topic(topic).speed(1000).workers(4).build()) {
            relay.start();
            await("it is tried often", () -> calls.get() >= 50);
        }
        assertEquals(1, lines("The broker of topic t is away"), this::log);
        assertEquals(0, lines(" failed at attempt "), this::log);
    }

    /** Each worker says it once, whatever the store does. */
    @Test
    void ofAStoreThatFailsOneForEachWorker() {
        AtomicInteger checkouts = new AtomicInteger();
        WrappedStore store = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                checkouts.incrementAndGet();
                throw new StoreException("of the test");
            }
        };
        Topic<String> topic = topic("t").publisher(d -> Receipt.taken()).build();
        try (Relay relay =
                Fixture.relay(store).topic(topic).workers(3).speed(1000).build()) {
            relay.start();
            await("it is asked often", () -> checkouts.get() >= 200);
        }
        long said = lines("The store failed;");
        assertTrue(said >= 1 && said <= 3, this::log);
    }

    /** What was published is settled later, in batches of one. */
    @Test
    void ofClosesThatFailOneForEachWorker() {
        AtomicInteger closes = new AtomicInteger();
        WrappedStore store = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                return new Batch(super.checkout(topics, limit)) {
                    @Override
                    public void markPublished(PersistedMessage message, @Nullable String publishId) {}

                    @Override
                    public void close() {
                        super.close();
                        if (!messages().isEmpty()) {
                            closes.incrementAndGet();
                            throw new StoreException("of the test");
                        }
                    }
                };
            }
        };
        Topic<String> topic =
                topic("t").partitions(64).publisher(d -> Receipt.taken()).build();
        for (int i = 0; i < MESSAGES; i++) {
            fixture.commit(topic, i + ":m");
        }
        try (Relay relay =
                Fixture.relay(store).topic(topic).workers(3).speed(1000).build()) {
            relay.start();
            await("many closes fail", () -> closes.get() >= 100);
        }
        long said = lines("The store failed;");
        assertTrue(said >= 1 && said <= 3, this::log);
        assertTrue(lines("WARN") <= 10, this::log);
    }

    /** A publisher that ignores interrupts, and a store, each keep a worker from ending. */
    @Test
    void ofWhatKeepsAWorkerFromEndingTheCause() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        CountDownLatch stuck = new CountDownLatch(2);
        Runnable stay = () -> {
            stuck.countDown();
            while (over.getCount() > 0) {
                LockSupport.parkNanos(10_000_000);
                Thread.interrupted();
            }
        };
        Topic<String> quick = topic("quick").publisher(d -> Receipt.taken()).build();
        Topic<String> slow = topic("slow")
                .publisher(d -> {
                    stay.run();
                    return Receipt.taken();
                })
                .build();
        fixture.commit(quick, "k:1");
        fixture.commit(slow, "k:1");
        WrappedStore store = new WrappedStore(fixture.store) {
            @Override
            public MessageBatch checkout(Set<String> topics, int limit) {
                return new Batch(super.checkout(topics, limit)) {
                    @Override
                    public void close() {
                        if (!messages().isEmpty()) {
                            stay.run();
                        }
                        super.close();
                    }
                };
            }
        };
        List<Relay> relays = List.of(
                Fixture.relay(store).topic(quick).shutdownTimeout(Duration.ZERO).build(),
                Fixture.relay(fixture.store)
                        .topic(slow)
                        .shutdownTimeout(Duration.ZERO)
                        .build());
        try {
            relays.forEach(Relay::start);
            stuck.await();
            List<Thread> closers =
                    relays.stream().map(relay -> new Thread(relay::close)).toList();
            closers.forEach(Thread::start);
            for (Thread closer : closers) {
                closer.join();
            }
            assertEquals(1, lines("A worker ignores interrupts; "), this::log);
            assertEquals(1, lines("The store does not answer a worker "), this::log);
        } finally {
            over.countDown();
            relays.forEach(Relay::close);
        }
    }

    private String log() {
        return written.toString(StandardCharsets.UTF_8);
    }
}
