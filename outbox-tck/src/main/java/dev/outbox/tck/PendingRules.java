package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Browsing;
import dev.outbox.Capability;
import dev.outbox.MessageRejectedException;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.Partitioner;
import dev.outbox.PersistedMessage;
import dev.outbox.tck.internal.spec.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** Messages of a topic that nobody serves, or that is called otherwise now, can be removed or moved. */
@AtLevel(Level.CONTRACT)
interface PendingRules {
    /** More than one part of anything. */
    int MANY = 1_203;

    String OLD = "orders/old";

    @Rule("OBX-OPS-5")
    default void pendingMessagesAreRemoved(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        assertEquals(0, client.operations().removePending(OLD, 10), "removed of a topic of which nothing is there");
        outbox.commit(OLD, 0, "poison", "waiting");
        outbox.commit(TOPIC, 0, "of another topic");
        try (Client.Batch batch = client.await(1, OLD)) {
            batch.fail(batch.get(0), Duration.ofHours(1));
        }
        outbox.commit(OLD, 1, "held");
        outbox.commit(OLD, 2, "1", "2", "3");
        Operations operations = outbox.open().operations();
        int left;
        try (Client.Batch held = client.await(1, OLD)) {
            int others = held.get(0).partition() == 1 ? 5 : 3;
            left = 5 - others;
            assertEquals(
                    others,
                    allOf(outbox, others, "removePending beside a batch", () -> operations.removePending(OLD, 100)),
                    "messages of partitions that no batch holds, delayed or not");
            held.publishAll();
        }
        assertEquals(
                left,
                allOf(outbox, left, "removePending after the batch", () -> operations.removePending(OLD, 100)),
                "messages that the batch left");
        try (Writer writer = outbox.begin()) {
            writer.write(OLD, 2, "committed later");
            client.operations().removePending(OLD, 100);
            writer.commit();
        }
        assertEquals(List.of("committed later"), drain(client, OLD, 1), "what was committed after the removal");
        client.expectNothing("all else of the topic was removed", OLD);
        assertEquals(List.of(), client.operations().failingPartitions(), "failing partitions after the removal");
        assertEquals(List.of("of another topic"), client.publishAll(10), "another topic");
        assertThrows(MisuseException.class, () -> operations.removePending(OLD, 0), "a removal of none");
    }

    @Rule("OBX-OPS-5")
    default void asManyAsAskedForAreRemovedTheOldestFirst(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        write(outbox, OLD, MANY, 1);
        assertEquals(700, client.operations().removePending(OLD, 700), "removed, of more than there are");
        List<String> left = drain(client, OLD, MANY - 700);
        assertEquals(texts(700, MANY), left, "what is left of the partition, in order");
        assertEquals(0, client.operations().removePending(OLD, 700), "removed when nothing is there");
    }

    @Rule("OBX-OPS-6")
    default void pendingMessagesAreMoved(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        byte[] payload = {0, 1, -1, 127, -128};
        Map<String, String> headers = Map.of("trace", "\ud83d\udc1d", "empty", "");
        String id = outbox.commit(new OutgoingMessage(OLD, 0, "key \u00e9", headers, payload));
        try (Client.Batch batch = client.await(1, OLD)) {
            batch.fail(batch.get(0), Duration.ofHours(1));
        }
        outbox.commit(OLD, 0, "without a key");
        outbox.commit(TOPIC, 0, "there before");
        Operations operations = outbox.open().operations();
        outbox.commit(OLD, 1, "held");
        try (Client.Batch held = client.await(1, OLD)) {
            assertEquals(
                    2,
                    allOf(outbox, 2, "movePending beside a batch", () -> operations.movePending(OLD, TOPIC, 1, 100)),
                    "messages moved, beside one that is held");
            held.publishAll();
        }
        outbox.commit(TOPIC, 0, "there after");
        client.expectNothing("all was moved", OLD);
        assertEquals(List.of(), operations.failingPartitions(), "failing partitions after the move");
        try (Client.Batch batch = client.await(10)) {
            assertEquals(
                    List.of("there before", "without a key", "there after"),
                    batch.texts().stream()
                            .filter(text -> text.startsWith("there") || text.startsWith("without"))
                            .toList(),
                    "the other messages of the partition");
            PersistedMessage moved = batch.get(1);
            assertEquals(id, moved.id(), "its id");
            assertEquals(TOPIC, moved.topic(), "its topic");
            assertEquals("key \u00e9", moved.key(), "its key");
            assertEquals(headers, moved.headers(), "its headers");
            assertArrayEquals(payload, moved.payload(), "its payload");
            assertEquals(0, moved.attempts(), "its attempts");
            batch.publishAll();
        }
        client.expectNothing("all was published");
        assertThrows(MisuseException.class, () -> operations.movePending(OLD, OLD, 1, 1), "a move to where it is");
        assertThrows(MisuseException.class, () -> operations.movePending(OLD, TOPIC, 0, 1), "to no partition");
        assertThrows(MisuseException.class, () -> operations.movePending(OLD, TOPIC, 10_001, 1), "to too many");
        assertThrows(MisuseException.class, () -> operations.movePending(OLD, TOPIC, 1, 0), "a move of none");
        assertThrows(
                MessageRejectedException.class, () -> operations.movePending(OLD, "no topic!", 1, 1), "to no topic");
    }

    @Rule("OBX-OPS-6")
    default void aMoveKeepsKeysTogetherAndInOrder(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        // From three partitions to five, where the backend can; else to as many.
        int to = canRepartition(outbox, client) ? 5 : 3;
        write(outbox, OLD, MANY, 3);
        assertEquals(MANY, client.operations().movePending(OLD, TOPIC, to, Integer.MAX_VALUE), "messages moved");
        Map<String, List<Integer>> byKey = new TreeMap<>();
        int came = 0;
        while (came < MANY) {
            try (Client.Batch batch = client.await(500)) {
                for (PersistedMessage m : batch.messages()) {
                    assertEquals(Partitioner.partitionOf(key(m), to), m.partition(), "the partition of " + key(m));
                    byKey.computeIfAbsent(key(m), none -> new ArrayList<>())
                            .add(Integer.parseInt(TestOutbox.text(m).substring(1)));
                }
                came += batch.messages().size();
                batch.publishAll();
            }
        }
        byKey.forEach((key, numbers) ->
                assertEquals(numbers.stream().sorted().toList(), numbers, "messages of " + key + " in order"));
        assertEquals(17, byKey.size(), "keys");
        client.expectNothing("each came once", TOPIC, OLD);
    }

    @Rule("OBX-OPS-5")
    default void topicsThatDifferByCaseKeepTheirMessages(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        List<String> dead = new ArrayList<>();
        for (String topic : ListingRules.BY_CASE) {
            dead.addAll(outbox.commit(topic, 0, "dead " + topic, "first " + topic, "second " + topic));
            try (Client.Batch batch = client.await(1, topic)) {
                batch.bury(batch.get(0));
            }
        }
        Operations operations = client.operations();
        assertEquals(
                2,
                allOf(outbox, 2, "removePending of one of them", () -> operations.removePending("Orders", 10)),
                "messages removed of one of them");
        assertEquals(
                2,
                allOf(outbox, 2, "movePending of one of them", () -> operations.movePending("ORDERS", "moved", 1, 10)),
                "messages moved of one of them");
        assertEquals(List.of("first ORDERS", "second ORDERS"), drain(client, "moved", 2), "messages that were moved");
        assertEquals(
                List.of("first orders", "second orders"),
                drain(client, "orders", 2),
                "messages of the topic that nothing was done to");
        client.expectNothing("all else was removed or moved", ListingRules.BY_CASE.toArray(String[]::new));
        assertEquals(
                ListingRules.BY_CASE.stream()
                        .sorted()
                        .map(topic -> topic + " 1")
                        .toList(),
                operations.deadLetterTopics().stream()
                        .map(topic -> topic.topic() + " " + topic.deadLetters())
                        .toList(),
                "topics with dead letters");
        assertEquals(3, operations.redrive(dead), "redriven");
        for (String topic : ListingRules.BY_CASE) {
            assertEquals(List.of("dead " + topic), drain(client, topic, 1), "redriven of " + topic);
        }
    }

    /** Some databases take them for the name of the topic, and others refuse to compare with them. */
    @Rule("OBX-OPS-5")
    default void namesThatNoTopicHasHaveNoMessages(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        List<String> ids = outbox.commit(TOPIC, 0, "dead", "poison", "waits");
        try (Client.Batch batch = client.await(10)) {
            batch.bury(batch.get(0));
            batch.fail(batch.get(1), Duration.ofHours(1));
        }
        Operations operations = client.operations();
        boolean browsing = !CapabilityRules.isWithout(client, Capability.BROWSING);
        for (String name : List.of(
                TOPIC + " ",
                " " + TOPIC,
                TOPIC + "\u00a0",
                TOPIC + "\t",
                TOPIC + "\0",
                "\u00f6rders",
                "",
                "\ud83d\udc1d")) {
            String shown = "topic '" + name + "', of which nothing can be there";
            assertFalse(operations.retryNow(name, 0), "retryNow of a partition of " + shown);
            assertEquals(0, operations.retryNow(name), "retryNow of " + shown);
            assertEquals(0, operations.removePending(name, 10), "removePending of " + shown);
            assertEquals(0, operations.movePending(name, "moved", 1, 10), "movePending of " + shown);
            assertEquals(List.of(), operations.deadLetters(name, null, 10), "dead letters of " + shown);
            assertThrows(
                    MisuseException.class,
                    () -> operations.deadLetters(name, ids.get(0), 10),
                    "dead letters after one of another topic");
            if (browsing) {
                assertEquals(
                        new Browsing.Page(List.of(), null),
                        client.browsing().pending(name, null, null, 10),
                        "messages of " + shown);
            }
        }
        assertEquals(1, operations.failingPartitions().size(), "partitions that fail, after all of this");
        assertEquals(1, operations.retryNow(TOPIC), "retryNow of the topic");
        assertEquals(List.of("poison", "waits"), drain(client, TOPIC, 2), "messages of the topic");
    }

    /** What is in a batch is not moved; what is moved is in no batch of the old topic; nothing is lost. */
    @Rule("OBX-OPS-6")
    default void aMoveAndRelaysShareNothing(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        Client relay = outbox.open();
        Client mover = outbox.open();
        write(outbox, OLD, 600, 3);
        List<String> came = Collections.synchronizedList(new ArrayList<>());
        FutureTask<Integer> relaying = new FutureTask<>(() -> {
            int all = 0;
            for (int i = 0; i < 12; i++) {
                try (Client.Batch batch = relay.checkout(20, OLD)) {
                    came.addAll(batch.texts());
                    all += batch.messages().size();
                    batch.publishAll();
                }
            }
            return all;
        });
        FutureTask<Integer> moving = new FutureTask<>(() -> {
            int all = 0;
            for (int i = 0; i < 12; i++) {
                all += mover.operations().movePending(OLD, TOPIC, 3, 20);
            }
            return all;
        });
        new Thread(relaying, "tck-relay").start();
        new Thread(moving, "tck-operator").start();
        int published = relaying.get();
        int moved = moving.get();
        assertTrue(published + moved <= 600, "published " + published + " and moved " + moved + ", of 600");
        List<String> rest = new ArrayList<>(drain(client, TOPIC, moved));
        rest.addAll(drain(client, OLD, 600 - published - moved));
        came.addAll(rest);
        assertEquals(600, came.size(), "messages that came");
        assertEquals(new HashSet<>(texts(0, 600)), new HashSet<>(came), "messages that came, each once");
        client.expectNothing("all was published", TOPIC, OLD);
    }

    /** A backend may have no step in common for two partitions: then it says so, and nothing has moved. */
    private static boolean canRepartition(TestOutbox outbox, Client client) throws Exception {
        int moved = 0;
        for (int partition = 0; partition < 3; partition++) {
            outbox.commit(new OutgoingMessage("try", partition, "key", Map.of(), new byte[0]));
        }
        try {
            moved = client.operations().movePending("try", "tried", 5, 10);
        } catch (MisuseException e) {
            outbox.record("moving to another number of partitions was refused: " + e.getMessage());
        }
        int all = 0;
        for (int some = 1; some > 0; all += some) {
            some = client.publishAll(10, "try", "tried").size();
        }
        assertEquals(3, all, "messages of both topics");
        return moved == 3;
    }

    private static void write(TestOutbox outbox, String topic, int many, int partitions) throws Exception {
        try (Writer writer = outbox.begin()) {
            writer.writeAll(IntStream.range(0, many)
                    .mapToObj(i -> {
                        String key = "key " + i % 17;
                        return new OutgoingMessage(
                                topic,
                                Partitioner.partitionOf(key, partitions),
                                key,
                                Map.of(),
                                ("m" + i).getBytes(StandardCharsets.UTF_8));
                    })
                    .toList());
            writer.commit();
        }
    }

    /** For a moment after a batch its partitions may be free only for its client. */
    private static int allOf(TestOutbox outbox, int many, String what, Callable<Integer> part) throws Exception {
        AtomicInteger done = new AtomicInteger();
        return outbox.eventually(
                what + " of " + many, () -> done.addAndGet(outbox.promptly(what, part)) >= many ? done.get() : null);
    }

    private static String key(PersistedMessage message) {
        return String.valueOf(message.key());
    }

    private static List<String> texts(int from, int to) {
        return IntStream.range(from, to).mapToObj(i -> "m" + i).toList();
    }

    private static List<String> drain(Client client, String topic, int many) throws Exception {
        List<String> texts = new ArrayList<>();
        client.outbox().eventually("all " + many + " that are left of " + topic, () -> {
            texts.addAll(client.publishAll(500, topic));
            return texts.size() >= many ? true : null;
        });
        return texts;
    }
}
