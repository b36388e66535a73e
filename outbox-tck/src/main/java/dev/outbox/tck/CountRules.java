package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.tck.internal.spec.Level;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Numbers of partitions and topics, one after the other. All messages are written once. A checkout changes nothing,
 * because its messages are released; between two numbers of partitions, those that are too many are published.
 */
@AtLevel(Level.CONCURRENCY)
interface CountRules {
    /** What a batch may be bounded to. */
    int LEAST_PARTITIONS = 100;

    /** What a batch may be bounded to. */
    int LEAST_MESSAGES = 10_000;

    int OF_EACH = 3;

    @Rule("OBX-LIMIT-2")
    default void everyNumberOfPartitionsGetsItsPlaces(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        NavigableSet<Integer> counts = outbox.drawn().everyNumber()
                ? numbers(300, 350, 400, 499, 500, 501, 512, 750, 999, 1_000, 1_001, 1_024, 1_500, 2_000, 3_000)
                : near(2, 8, 16, 64, 100, 128, 173, 185, 196, 256, 500, 512);
        int most = counts.last();
        write(outbox, most);
        int left = most;
        for (int count : counts.descendingSet()) {
            left = publish(client, left - count, left);
            for (int limit : new TreeSet<>(List.of(count, LEAST_PARTITIONS, 2 * count + 1))) {
                String what = "a checkout of " + limit + ", where " + count + " partitions have " + OF_EACH
                        + " messages each,";
                try (Client.Batch batch = outbox.promptly(what, () -> client.checkout(limit))) {
                    check(batch.messages(), limit, count, what);
                }
            }
        }
    }

    @Rule("OBX-FILTER-1")
    default void everyNumberOfTopicsIsServed(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        NavigableSet<Integer> counts =
                outbox.drawn().everyNumber() ? numbers(300) : near(2, 8, 16, 64, 100, 128, 256, 300);
        List<String> topics =
                IntStream.range(0, counts.last()).mapToObj(i -> "topic/" + i).toList();
        try (Writer writer = outbox.begin()) {
            writer.writeAll(topics.stream()
                    .map(topic -> TestOutbox.message(topic, 0, topic))
                    .toList());
            writer.commit();
        }
        for (int count : counts) {
            String[] asked = topics.subList(0, count).toArray(String[]::new);
            String what = "a checkout from " + count + " topics with a message each";
            try (Client.Batch batch = outbox.promptly(what, () -> client.checkout(count, asked))) {
                List<String> texts = batch.texts();
                assertTrue(List.of(asked).containsAll(texts), what + " has messages of other topics: " + texts);
                assertEquals(new TreeSet<>(texts).size(), texts.size(), "different messages of " + what);
                assertTrue(
                        texts.size() >= Math.min(count, LEAST_PARTITIONS), what + " has no more than " + texts.size());
            }
        }
    }

    private static NavigableSet<Integer> numbers(int all, int... more) {
        NavigableSet<Integer> numbers = new TreeSet<>();
        IntStream.concat(IntStream.rangeClosed(1, all), IntStream.of(more)).forEach(numbers::add);
        return numbers;
    }

    /** Each, and its neighbours. */
    private static NavigableSet<Integer> near(int... edges) {
        NavigableSet<Integer> numbers = new TreeSet<>();
        for (int edge : edges) {
            numbers.addAll(List.of(Math.max(1, edge - 1), edge, edge + 1));
        }
        return numbers;
    }

    private static void write(TestOutbox outbox, int partitions) throws Exception {
        int atOnce = 1_000;
        for (int from = 0; from < partitions; from += atOnce) {
            List<OutgoingMessage> messages = new ArrayList<>();
            for (int place = 0; place < OF_EACH; place++) {
                for (int partition = from; partition < Math.min(partitions, from + atOnce); partition++) {
                    messages.add(TestOutbox.message(TOPIC, partition, Integer.toString(place)));
                }
            }
            try (Writer writer = outbox.begin()) {
                writer.writeAll(messages);
                writer.commit();
            }
        }
    }

    /** Publishes all messages of that many partitions; returns how many are left. */
    private static int publish(Client client, int partitions, int left) throws Exception {
        int gone = 0;
        while (gone < partitions) {
            try (Client.Batch batch = client.await(LEAST_MESSAGES)) {
                for (List<PersistedMessage> own : byPartition(batch.messages()).values()) {
                    if (own.size() == OF_EACH && gone < partitions) {
                        own.forEach(message -> batch.raw().markPublished(message, null));
                        gone++;
                    }
                }
            }
        }
        return left - partitions;
    }

    private static void check(List<PersistedMessage> messages, int limit, int count, String what) {
        Map<Integer, List<PersistedMessage>> partitions = byPartition(messages);
        partitions.forEach((partition, own) -> assertEquals(
                IntStream.range(0, own.size()).mapToObj(Integer::toString).toList(),
                own.stream().map(TestOutbox::text).toList(),
                "messages of partition " + partition + " in " + what));
        // Which partitions these are is up to the store, because there was a batch a moment ago.
        int full = Math.min(limit, Math.min(LEAST_MESSAGES, OF_EACH * Math.min(count, LEAST_PARTITIONS)));
        assertTrue(
                messages.size() >= full && messages.size() <= limit,
                what + " has " + messages.size() + " messages, and " + full + " to " + limit + " are right");
    }

    private static Map<Integer, List<PersistedMessage>> byPartition(Collection<PersistedMessage> messages) {
        Map<Integer, List<PersistedMessage>> partitions = new LinkedHashMap<>();
        messages.forEach(message -> partitions
                .computeIfAbsent(message.partition(), partition -> new ArrayList<>())
                .add(message));
        return partitions;
    }
}
