package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.PersistedMessage;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A checkout returns what was asked for, as much as was asked for, and starves no partition. */
@AtLevel(Level.CONTRACT)
interface FilterAndLimitRules {
    /** Longer than the three seconds within which a store notices a partition while its batches are full. */
    Duration UNNOTICED = Duration.ofSeconds(10);

    /** How many partitions every backend can hold in a batch. */
    int LEAST_BOUND = 100;

    @Rule("OBX-FILTER-1")
    default void onlyTheTopicsAskedForCome(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        Set<String> topics = Set.of("orders", "Orders", "orders.eu", "order", "a/b:c-d_e.f", "x".repeat(200));
        for (String topic : topics) {
            outbox.commit(topic, 0, "of " + topic);
        }
        client.expectNothing("there are no messages of this topic", "orders.");
        client.expectNothingNow("there are no messages of this topic", "o_ders");
        for (String topic : topics) {
            try (Client.Batch batch = client.await(100, topic)) {
                assertEquals(Set.of("of " + topic), new HashSet<>(batch.texts()), "messages of topic " + topic);
            }
        }
        outbox.drain(client, Set.of("of Orders", "of order"), "Orders", "order", "unknown");
        outbox.drain(client, Set.of("of orders"), "orders");
    }

    @Rule("OBX-LIMIT-1")
    default void thereAreNeverMoreThanTheLimit(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        for (int partition = 0; partition < 5; partition++) {
            outbox.commit(TOPIC, partition, "1", "2", "3", "4");
            outbox.commit("bills", partition, "1", "2", "3", "4");
        }
        for (int limit : new int[] {1, 2, 3, 7, 19, 39, 40, 1_000_000, Integer.MAX_VALUE}) {
            try (Client.Batch batch = client.await(limit, TOPIC, "bills")) {
                int size = batch.messages().size();
                assertTrue(size <= Math.min(limit, 40), "a batch of at most " + limit + " has " + size + " messages");
            }
        }
    }

    @Rule("OBX-LIMIT-2")
    default void everyReadyPartitionGetsAPlace(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        String[] many = new String[300];
        Arrays.setAll(many, i -> "many " + i);
        outbox.commit(TOPIC, 0, many);
        outbox.commit(TOPIC, 1, many);
        outbox.commit(TOPIC, 2, "few");
        outbox.commit("bills", 0, "few");
        try (Client.Batch batch = client.await(8, TOPIC, "bills")) {
            assertEquals(
                    Set.of("orders/0", "orders/1", "orders/2", "bills/0"),
                    batch.messages().stream().map(FilterAndLimitRules::name).collect(Collectors.toSet()),
                    "partitions in a batch of 8, where 4 are ready");
        }
    }

    @Rule("OBX-LIMIT-2")
    default void partitionsTakeTurns(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        String[] many = new String[50];
        Arrays.setAll(many, i -> "m" + i);
        for (int partition = 0; partition < 5; partition++) {
            outbox.commit(TOPIC, partition, many);
        }
        Set<String> served = new HashSet<>();
        int checkouts = 0;
        while (served.size() < 5) {
            checkouts++;
            assertTrue(checkouts <= 40, "after 40 checkouts of one message each, only these had a turn: " + served);
            try (Client.Batch batch = client.await(1)) {
                batch.publishAll();
                batch.messages().forEach(m -> served.add(name(m)));
            }
        }
    }

    /** What a store does in passes may come out even at most numbers, and at some not. */
    @Rule("OBX-LIMIT-2")
    default void whateverTheirNumberABatchIsFilled(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        int written = 0;
        for (int partitions : new int[] {1, 2, 33, 65, 99, 100, 101, 150, 180, 257, 300}) {
            written = writeOneEach(outbox, written, partitions);
            client.await(1).close(); // a store may have to notice them
            for (int limit : new int[] {1, 64, 100, 250}) {
                String what = "a checkout of " + limit + " where " + partitions + " partitions have a message each";
                try (Client.Batch batch = outbox.promptly(what, () -> client.checkout(limit))) {
                    int most = Math.min(partitions, limit);
                    int size = batch.messages().size();
                    assertTrue(
                            size <= most && size >= Math.min(most, LEAST_BOUND),
                            what + " returned " + size + " messages; expected " + most
                                    + (most > LEAST_BOUND ? ", or " + LEAST_BOUND + " at least" : ""));
                    Set<Integer> served = batch.messages().stream()
                            .map(PersistedMessage::partition)
                            .collect(Collectors.toSet());
                    assertEquals(size, served.size(), what + ": partitions that got a place");
                }
            }
        }
    }

    @Rule("OBX-LIMIT-2")
    default void morePartitionsThanABatchHoldsTakeTurns(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        int partitions = 1_100; // more than stores look for in one go
        writeOneEach(outbox, 0, partitions);
        for (int limit : new int[] {100, 1000}) {
            Set<Integer> served = new HashSet<>();
            long begun = System.nanoTime();
            for (int checkouts = 0; served.size() < partitions; checkouts++) {
                assertTrue(
                        checkouts < 40 || System.nanoTime() - begun < UNNOTICED.toNanos(),
                        "of " + partitions + " partitions with a message each, " + checkouts + " checkouts of " + limit
                                + " served only " + served.size());
                String what = "a checkout of " + limit + " where " + partitions + " partitions have a message each";
                try (Client.Batch batch = outbox.promptly(what, () -> client.checkout(limit))) {
                    batch.messages().forEach(m -> served.add(m.partition()));
                }
            }
        }
    }

    /** A message into each partition from a number on and up to another, which it returns. */
    private static int writeOneEach(TestOutbox outbox, int from, int to) throws Exception {
        try (Writer writer = outbox.begin()) {
            writer.writeAll(IntStream.range(from, to)
                    .mapToObj(partition -> TestOutbox.message(TOPIC, partition, "of " + partition))
                    .toList());
            writer.commit();
        }
        return to;
    }

    @Rule("OBX-LIMIT-3")
    default void aPartitionThatWaitsStarvesNoOther(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        String[] many = new String[300];
        Arrays.setAll(many, i -> "stuck " + i);
        outbox.commit("broken", 0, many);
        outbox.commit("broken", 1, many);
        for (int i = 0; i < 2; i++) {
            try (Client.Batch batch = client.await(1, "broken")) {
                batch.fail(batch.get(0), Duration.ofHours(1));
            }
        }
        outbox.commit(TOPIC, 0, "fine");
        assertEquals(
                List.of("fine"),
                client.publishAll(1, TOPIC, "broken"),
                "a checkout of one message, two large partitions waiting and one ready");
    }

    @Rule("OBX-LIMIT-3")
    default void aPartitionThatFailsWithoutDelayStarvesNoOther(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        String[] many = new String[300];
        Arrays.setAll(many, i -> "stuck " + i);
        outbox.commit("broken", 0, many);
        outbox.commit(TOPIC, 0, "fine");
        outbox.commit(TOPIC, 5, "fine too");
        Set<String> missing = new HashSet<>(Set.of("fine", "fine too"));
        for (int i = 0; !missing.isEmpty(); i++) {
            assertTrue(i < 40, "after 40 checkouts of one message each these had no turn: " + missing);
            try (Client.Batch batch = client.await(1, TOPIC, "broken")) {
                PersistedMessage message = batch.get(0);
                if (message.topic().equals("broken")) {
                    batch.fail(message, Duration.ZERO);
                } else {
                    missing.remove(TestOutbox.text(message));
                    batch.publish(message);
                }
            }
        }
    }

    private static String name(PersistedMessage message) {
        return message.topic() + "/" + message.partition();
    }
}
