package dev.outbox.histories;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Publishers of twelve topics of twenty do not return. A batch stays open for each, on a real server. */
@Timeout(600)
class HangingTest {
    private static final int TOPICS = 20;
    private static final int HANGING = 12;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final CountDownLatch over = new CountDownLatch(1);
    private final Queue<String> called = new ConcurrentLinkedQueue<>();
    private final Queue<String> published = new ConcurrentLinkedQueue<>();

    private interface Opening {
        Backend open(SharedLog<Line> log) throws Exception;
    }

    @Test
    @Tag("postgres")
    void postgres() throws Exception {
        theOthersGoOn("postgres", PostgresBackend::new);
    }

    @Test
    @Tag("mongo")
    void mongo() throws Exception {
        theOthersGoOn("mongo", MongoBackend::new);
    }

    @Test
    @Tag("redis")
    void redis() throws Exception {
        theOthersGoOn("redis", RedisBackend::new);
    }

    private static String name(int topic) {
        return "topic" + topic;
    }

    private Topic<String> topic(int number) {
        return Topic.builder(name(number), Codecs.text())
                .partitions(4)
                .publishTimeout(Duration.ofMillis(100))
                .publisher(delivery -> {
                    if (number < HANGING) {
                        called.add(delivery.topic());
                        over.await();
                    }
                    published.add(delivery.topic() + "/" + delivery.partition() + " " + delivery.message());
                    return Receipt.taken();
                })
                .build();
    }

    private static void write(Backend.Application application, int from, int to, int message) throws Exception {
        application.begin(from + "/" + message);
        for (int topic = from; topic < to; topic++) {
            for (int partition = 0; partition < 4; partition++) {
                byte[] payload = Integer.toString(message).getBytes(StandardCharsets.UTF_8);
                application.persist(new OutgoingMessage(name(topic), partition, null, Map.of(), payload));
            }
        }
        assertEquals(Story.Ending.COMMITTED, application.commit());
    }

    private void theOthersGoOn(String name, Opening opening) throws Exception {
        Path path = Path.of("target", "histories", name + "-hanging.log");
        try (SharedLog<Line> log = SharedLog.empty(path, Line::parse);
                Backend backend = opening.open(log);
                Way ofWriters = backend.wayOfWriters();
                Backend.Application application = backend.connect(ofWriters);
                Way ofRelay = backend.wayOfRelay();
                Store store = Stores.open(ofRelay.url(), options(backend))) {
            Relay.Builder builder = Relay.builder(store).workers(4).batchSize(1).publishers(1);
            for (int i = 0; i < TOPICS; i++) {
                builder.topic(topic(i));
            }
            for (int message = 0; message < 3; message++) {
                write(application, 0, HANGING, message);
            }
            try (Relay relay = builder.build()) {
                relay.start();
                Await.until(
                        "twelve topics hang",
                        PATIENCE,
                        () -> called.stream().distinct().count() == HANGING);
                for (int message = 0; message < 10; message++) {
                    write(application, HANGING, TOPICS, message);
                }
                Await.until(
                        "the messages of the other topics are published",
                        PATIENCE,
                        () -> published.size() == (TOPICS - HANGING) * 4 * 10);
                over.countDown();
                Await.until(
                        "nothing is left",
                        PATIENCE,
                        () -> Operations.of(store).backlog().isEmpty());
            } finally {
                over.countDown();
            }
        }
        Map<String, List<String>> partitions = new HashMap<>();
        for (String each : published) {
            int blank = each.indexOf(' ');
            partitions
                    .computeIfAbsent(each.substring(0, blank), key -> new ArrayList<>())
                    .add(each.substring(blank + 1));
        }
        assertEquals(TOPICS * 4, partitions.size());
        partitions.forEach((partition, messages) -> {
            boolean hung = Integer.parseInt(partition.substring("topic".length(), partition.indexOf('/'))) < HANGING;
            List<String> expected = new ArrayList<>();
            for (int message = 0; message < (hung ? 3 : 10); message++) {
                expected.add(Integer.toString(message));
            }
            assertEquals(expected, messages, partition);
        });
    }

    private static StoreOptions options(Backend backend) {
        StoreOptions options = StoreOptions.defaults();
        for (Map.Entry<String, String> option : backend.options().entrySet()) {
            options = options.with(option.getKey(), option.getValue());
        }
        return options;
    }
}
