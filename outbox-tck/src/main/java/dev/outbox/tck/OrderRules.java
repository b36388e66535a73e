package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Capability;
import dev.outbox.OutgoingMessage;
import dev.outbox.tck.internal.spec.Level;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Within a partition, messages come in the order in which they were written. */
@AtLevel(Level.CONTRACT)
interface OrderRules {
    @Rule("OBX-ORDER-1")
    default void aPartitionComesInOrder(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        List<String> even = new ArrayList<>();
        List<String> odd = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            // Some share a transaction, some have one of their own; texts sort otherwise than positions do.
            String[] texts = {"m" + (100 - 2 * i), "m" + (99 - 2 * i)};
            outbox.commit(TOPIC, i % 2, texts);
            (i % 2 == 0 ? even : odd).addAll(List.of(texts));
        }
        assertComeInOrder(client, even, odd);
    }

    @Rule("OBX-ORDER-1")
    default void whatIsWrittenByOneCallComesInItsOrder(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        List<String> even = new ArrayList<>();
        List<String> odd = new ArrayList<>();
        try (Writer writer = outbox.begin()) {
            for (int call = 0; call < 4; call++) {
                List<OutgoingMessage> messages = new ArrayList<>();
                for (int i = 0; i < 12; i++) {
                    String text = "m" + (100 - 20 * call - i);
                    messages.add(TestOutbox.message(TOPIC, i % 2, text));
                    (i % 2 == 0 ? even : odd).add(text);
                }
                writer.writeAll(messages);
                writer.write(TOPIC, 0, "behind call " + call);
                even.add("behind call " + call);
            }
            writer.commit();
        }
        assertComeInOrder(client, even, odd);
    }

    @Rule("OBX-ORDER-1")
    default void aBatchStartsWithTheOldestAndLeavesNoGap(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2", "3", "4", "5");
        for (int limit : new int[] {1, 3, 2, 5}) {
            try (Client.Batch batch = client.await(limit)) {
                assertEquals(List.of("1", "2", "3", "4", "5").subList(0, limit), batch.texts(), "a batch of " + limit);
            }
        }
    }

    @Rule("OBX-ORDER-4")
    default void whatIsWrittenAfterACommitComesAfterIt(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        for (int round = 0; round < 20; round++) {
            try (Writer late = outbox.begin()) {
                late.write(TOPIC, 0, "first");
                outbox.commit(TOPIC, 0, "beside");
                List<String> came = new ArrayList<>(client.publishAll(1)); // in commit order it is not there yet
                late.commit();
                outbox.commit(TOPIC, 0, "second");
                while (came.size() < 3) {
                    try (Client.Batch batch = client.await(1)) {
                        came.addAll(batch.texts());
                        batch.publishAll();
                    }
                }
                came.remove("beside");
                assertEquals(List.of("first", "second"), came, "round " + round);
            }
        }
    }

    @Rule("OBX-ORDER-2")
    default void whatIsReleasedKeepsItsPlace(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2", "3", "4", "5");
        try (Client.Batch batch = client.await(4)) {
            batch.publish(batch.get(0));
            batch.publish(batch.get(2));
        }
        outbox.commit(TOPIC, 0, "6");
        try (Client.Batch batch = client.await(10)) {
            assertEquals(List.of("2", "4", "5", "6"), batch.texts(), "after 1 and 3 were published");
        }
        assertEquals(List.of("2", "4", "5", "6"), client.publishAll(10), "after all were released");
    }

    @Rule("OBX-ORDER-3")
    default void aHeldPartitionIsGivenToNobodyElse(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2", "3");
        boolean exclusive = TestOutbox.has(one, Capability.PARTITION_EXCLUSIVITY);
        try (Client.Batch batch = one.await(1)) {
            assertEquals(List.of("1"), batch.texts(), "a batch of one message");
            if (exclusive) {
                two.expectNothing("another client holds their partition");
                one.expectNothingNow("its own batch holds their partition");
                outbox.commit(TOPIC, 0, "4");
                two.expectNothingNow("another client holds the partition of the new message");
                outbox.commit(TOPIC, 1, "other partition");
                assertEquals(List.of("other partition"), two.publishAll(10), "messages of the free partition");
            } else {
                try (Client.Batch other = two.checkout(10)) {
                    assertFalse(
                            other.texts().contains("1"), "without the capability messages are exclusive all the same");
                }
            }
            batch.publishAll();
        }
        Set<String> left = new HashSet<>(Set.of("2", "3"));
        if (exclusive) {
            left.add("4");
            assertEquals(List.of("2", "3", "4"), two.publishAll(10), "the partition after it was released");
        } else {
            outbox.drain(two, left);
        }
    }

    /** More than a backend may take in one statement. */
    @Rule("OBX-ORDER-1")
    default void theMessagesOfALargeCallKeepTheirOrder(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        int many = 2_503;
        List<String> texts =
                IntStream.range(0, many).mapToObj(i -> "message " + i).toList();
        try (Writer writer = outbox.begin()) {
            writer.writeAll(IntStream.range(0, many)
                    .mapToObj(i -> TestOutbox.message(TOPIC, i % 2, texts.get(i)))
                    .toList());
            writer.commit();
        }
        List<List<String>> came = List.of(new ArrayList<>(), new ArrayList<>());
        outbox.eventually("all messages come", () -> {
            try (Client.Batch batch = client.checkout(1_000)) {
                batch.messages().forEach(m -> came.get(m.partition()).add(TestOutbox.text(m)));
                batch.messages().forEach(m -> batch.raw().markPublished(m, null));
            }
            return came.get(0).size() + came.get(1).size() >= many ? true : null;
        });
        for (int partition : new int[] {0, 1}) {
            List<String> own = IntStream.range(0, many)
                    .filter(i -> i % 2 == partition)
                    .mapToObj(texts::get)
                    .toList();
            assertEquals(own, came.get(partition), "messages of partition " + partition + ", of one call");
        }
    }

    @Rule("OBX-ORDER-1")
    default void manyPartitionsOfManyTopicsAreAllServed(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        Set<String> expected = new HashSet<>();
        String[] topics = {"t-0", "t-1", "t-2", "t-3"};
        try (Writer writer = outbox.begin()) {
            for (String topic : topics) {
                for (int partition = 0; partition < 200; partition += 4) {
                    for (int i = 0; i < 2; i++) {
                        String text = topic + "/" + partition + "/" + i;
                        writer.write(topic, partition, text);
                        expected.add(text);
                    }
                }
            }
            writer.commit();
        }
        List<String> came = outbox.drain(client, expected, topics);
        for (String text : expected) {
            if (text.endsWith("/1")) {
                String before = text.substring(0, text.length() - 1) + "0";
                assertTrue(came.indexOf(before) < came.indexOf(text), before + " comes before " + text);
            }
        }
    }

    private static void assertComeInOrder(Client client, List<String> even, List<String> odd) throws Exception {
        List<String> cameEven = new ArrayList<>();
        List<String> cameOdd = new ArrayList<>();
        while (cameEven.size() < even.size() || cameOdd.size() < odd.size()) {
            try (Client.Batch batch = client.await(7)) {
                cameEven.addAll(batch.texts(TOPIC, 0));
                cameOdd.addAll(batch.texts(TOPIC, 1));
                batch.publishAll();
            }
        }
        assertEquals(even, cameEven, "messages of partition 0");
        assertEquals(odd, cameOdd, "messages of partition 1");
    }
}
