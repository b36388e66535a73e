package dev.outbox.histories;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.outbox.Codecs;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.processes.SharedLog;
import dev.outbox.relay.Relay;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A server that accepts connections and answers nothing, as one that is stopped does. A relay and its store close. */
@Timeout(600)
class SilentServerTest {
    /** Far more than the bounds that the documentation names, and less than the drivers wait for an answer. */
    private static final Duration MOST = Duration.ofSeconds(40);

    private final Queue<String> published = new ConcurrentLinkedQueue<>();
    private final CountDownLatch inPublisher = new CountDownLatch(1);
    private final CountDownLatch mayReturn = new CountDownLatch(1);

    private interface Opening {
        Backend open(SharedLog<Line> log) throws Exception;
    }

    @Test
    @Tag("postgres")
    void postgres() throws Exception {
        itCloses("postgres", PostgresBackend::new);
    }

    @Test
    @Tag("mysql")
    void mysql() throws Exception {
        itCloses("mysql", MySqlBackend::mysql);
    }

    @Test
    @Tag("mongo")
    void mongo() throws Exception {
        itCloses("mongo", MongoBackend::new);
    }

    @Test
    @Tag("redis")
    void redis() throws Exception {
        itCloses("redis", RedisBackend::new);
    }

    private void itCloses(String name, Opening opening) throws Exception {
        Path path = Path.of("target", "histories", name + "-silent.log");
        try (SharedLog<Line> log = SharedLog.empty(path, Line::parse);
                Backend backend = opening.open(log)) {
            idle(backend);
            busy(backend);
            try (Store store = backend.administrator();
                    Relay relay = Relay.builder(store)
                            .topic(topic(new CountDownLatch(0)))
                            .build()) {
                relay.start();
                Await.until(
                        "nothing is left", () -> Operations.of(store).backlog().isEmpty());
            }
            assertEquals(2, published.size(), () -> "once before its server fell silent, and once since: " + published);
        }
    }

    private Topic<String> topic(CountDownLatch before) {
        return Topic.builder("t", Codecs.text())
                .publisher(delivery -> {
                    inPublisher.countDown();
                    before.await();
                    published.add(delivery.message());
                    return Receipt.taken();
                })
                .build();
    }

    /** A worker asks for messages, and has none in hand: the store is not waited for. */
    private void idle(Backend backend) throws Exception {
        try (Way way = backend.wayOfRelay()) {
            Store store = open(backend, way);
            Relay relay = Relay.builder(store)
                    .topic(topic(mayReturn))
                    .shutdownTimeout(Duration.ofHours(1))
                    .build();
            relay.start();
            Await.until("a round was good", () -> relay.state().lastGoodRound() != null);
            way.stall();
            Await.until("the worker waits for an answer", SilentServerTest::asks);
            assertTimeoutPreemptively(MOST, relay::close, "the relay");
            assertTimeoutPreemptively(MOST, store::close, "the store of an idle relay");
        }
    }

    private static boolean asks() {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(thread -> thread.getKey().getName().matches("outbox-relay-\\d+-worker-1"))
                .anyMatch(thread -> Stream.of(thread.getValue())
                        .anyMatch(call -> call.getMethodName().equals("checkout")));
    }

    /** A message is in hand, and what became of it cannot be written. */
    private void busy(Backend backend) throws Exception {
        try (Way ofWriters = backend.wayOfWriters();
                Backend.Application application = backend.connect(ofWriters);
                Way way = backend.wayOfRelay()) {
            application.begin("silent");
            application.persist(new OutgoingMessage("t", 0, null, Map.of(), "m".getBytes(StandardCharsets.UTF_8)));
            assertEquals(Story.Ending.COMMITTED, application.commit());
            Store store = open(backend, way);
            Relay relay = Relay.builder(store)
                    .topic(topic(mayReturn))
                    .shutdownTimeout(Duration.ofSeconds(1))
                    .build();
            relay.start();
            inPublisher.await();
            way.stall();
            mayReturn.countDown();
            Await.until("the message is published", () -> !published.isEmpty());
            assertTimeoutPreemptively(MOST, relay::close, "the relay");
            assertTimeoutPreemptively(MOST, store::close, "the store of a relay that settles");
        }
    }

    private static Store open(Backend backend, Way way) {
        StoreOptions options = StoreOptions.defaults();
        for (Map.Entry<String, String> option : backend.options().entrySet()) {
            options = options.with(option.getKey(), option.getValue());
        }
        return Stores.open(way.url(), options);
    }
}
