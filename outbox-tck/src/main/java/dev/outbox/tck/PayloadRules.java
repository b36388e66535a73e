package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.MessageRejectedException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.tck.internal.spec.Level;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Messages come back exactly as they were persisted. */
@AtLevel(Level.CONTRACT)
interface PayloadRules {
    /** Unicode in all its lengths, what databases like to trim, fold or escape, and what looks like syntax. */
    String STRANGE =
            "\u00e9e\u0301 \u6f22\u5b57 \ud83d\udc1d\ud83c\udff3\ufe0f\u200d\ud83c\udf08 \u202eabc\u202c \ufeff\uffff\u0001\t\r\n"
                    + " ' \" \\ \\0 \\u0041 %00 ${x} {\"a\":1} <b>&amp;</b> ; -- /* */  ";

    @Rule("OBX-PAYLOAD-1")
    default void everyByteComesBack(TestOutbox outbox) throws Exception {
        byte[] all = new byte[512];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) i;
        }
        assertRoundTrip(outbox, null, Map.of(), all);
        assertRoundTrip(outbox, null, Map.of(), new byte[0]);
        assertRoundTrip(outbox, null, Map.of(), new byte[] {0});
    }

    @Rule("OBX-PAYLOAD-1")
    default void keysAndHeadersComeBack(TestOutbox outbox) throws Exception {
        byte[] payload = {1};
        assertRoundTrip(outbox, null, Map.of(), payload);
        assertRoundTrip(outbox, "", Map.of(), payload);
        assertRoundTrip(outbox, " trailing blanks  ", Map.of("A", "1", "a", "2", "b", "", " c ", " d "), payload);
        assertRoundTrip(outbox, STRANGE, Map.of(STRANGE, STRANGE, "plain", STRANGE), payload);
    }

    @Rule("OBX-PAYLOAD-1")
    default void topicsAndPartitionsComeBack(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        for (String topic : new String[] {"a", "A-Z/0:9._-", "t".repeat(OutgoingMessage.MAX_TOPIC_LENGTH)}) {
            for (int partition : new int[] {0, 1, 9_999, Integer.MAX_VALUE}) {
                String id = outbox.commit(topic, partition, "x").get(0);
                try (Client.Batch batch = client.await(10, topic)) {
                    assertEquals(id, batch.get(0).id(), "id");
                    assertEquals(topic, batch.get(0).topic(), "topic");
                    assertEquals(partition, batch.get(0).partition(), "partition");
                    batch.publishAll();
                }
            }
        }
    }

    @Rule("OBX-PAYLOAD-1")
    default void messagesOfABatchAreNotMixedUp(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        try (Writer writer = outbox.begin()) {
            for (int i = 0; i < 50; i++) {
                writer.write(new OutgoingMessage(
                        TOPIC,
                        i % 3,
                        i % 2 == 0 ? null : "k" + i,
                        Map.of("n", "" + i),
                        ("p" + i).getBytes(StandardCharsets.UTF_8)));
            }
            writer.commit();
        }
        int seen = 0;
        while (seen < 50) {
            try (Client.Batch batch = client.await(20)) {
                for (PersistedMessage m : batch.messages()) {
                    int i = Integer.parseInt(TestOutbox.text(m).substring(1));
                    assertEquals(i % 3, m.partition(), "partition of message " + i);
                    assertEquals(i % 2 == 0 ? null : "k" + i, m.key(), "key of message " + i);
                    assertEquals(Map.of("n", "" + i), m.headers(), "headers of message " + i);
                    seen++;
                }
                batch.publishAll();
            }
        }
    }

    @Rule("OBX-PAYLOAD-2")
    default void oneMebibyteComesBack(TestOutbox outbox) throws Exception {
        assertRoundTrip(outbox, "large", Map.of(), random(1024 * 1024));
    }

    @Rule("OBX-PAYLOAD-2")
    default void theLargestPayloadComesBackOrIsRefused(TestOutbox outbox) throws Exception {
        byte[] largest = random(OutgoingMessage.MAX_PAYLOAD_BYTES);
        try (Writer writer = outbox.begin()) {
            writer.write(new OutgoingMessage(TOPIC, 0, null, Map.of(), largest));
        } catch (MessageRejectedException e) {
            assertTrue(e.getMessage().matches("(?s).*\\d.*"), "the refusal names no limit: " + e.getMessage());
            outbox.saw(1);
            return;
        }
        assertRoundTrip(outbox, null, Map.of(), largest);
    }

    @Rule("OBX-PAYLOAD-1")
    default void whatIsWrittenByOneCallComesBackExactly(TestOutbox outbox) throws Exception {
        List<OutgoingMessage> messages = List.of(
                new OutgoingMessage(TOPIC, 0, null, Map.of(), new byte[0]),
                new OutgoingMessage(TOPIC, 0, STRANGE, Map.of(STRANGE, STRANGE, "a", ""), random(1_000)),
                new OutgoingMessage(TOPIC, 0, "", Map.of(), random(50_000)),
                new OutgoingMessage(TOPIC, 0, "last", Map.of("b", "2"), new byte[] {0}));
        try (Writer writer = outbox.begin()) {
            writer.writeAll(messages);
            writer.commit();
        }
        try (Client.Batch batch = outbox.open().await(10)) {
            assertEquals(messages.size(), batch.messages().size(), "messages");
            for (PersistedMessage message : batch.messages()) {
                OutgoingMessage written = messages.stream()
                        .filter(m -> Objects.equals(m.key(), message.key()))
                        .findFirst()
                        .orElseThrow(() -> new AssertionError("nothing was written with the key " + message.key()));
                assertEquals(written.headers(), message.headers(), "headers");
                assertArrayEquals(written.payload(), message.payload(), "payload");
            }
            batch.publishAll();
        }
    }

    @Rule("OBX-PAYLOAD-2")
    default void theLongestKeyAndHeadersComeBack(TestOutbox outbox) throws Exception {
        String key = "\u6f22".repeat(OutgoingMessage.MAX_KEY_LENGTH);
        assertRoundTrip(outbox, key, Map.of("h", "\u6f22".repeat(OutgoingMessage.MAX_HEADERS_LENGTH - 1)), new byte[1]);
        Map<String, String> many = new LinkedHashMap<>();
        for (int i = 0; i < 1_000; i++) {
            many.put("header " + i, "value " + i);
        }
        assertRoundTrip(outbox, "\ud83d\udc1d".repeat(OutgoingMessage.MAX_KEY_LENGTH / 2), many, new byte[1]);
    }

    @Rule("OBX-PAYLOAD-1")
    default void whatIsReturnedCannotBeChanged(TestOutbox outbox) throws Exception {
        outbox.commit(new OutgoingMessage(TOPIC, 0, null, Map.of("a", "b"), new byte[1]));
        try (Client.Batch batch = outbox.open().await(10)) {
            Map<String, String> headers = batch.get(0).headers();
            assertThrows(UnsupportedOperationException.class, () -> headers.put("c", "d"), "changing headers");
            assertFalse(
                    batch.get(0).createdAt().isAfter(Instant.now().plusSeconds(60)),
                    "createdAt is a minute in the future: " + batch.get(0).createdAt());
        }
    }

    private static void assertRoundTrip(
            TestOutbox outbox, @Nullable String key, Map<String, String> headers, byte[] payload) throws Exception {
        String id = outbox.commit(new OutgoingMessage(TOPIC, 0, key, headers, payload));
        try (Client client = outbox.open();
                Client.Batch batch = client.await(10)) {
            PersistedMessage message = batch.get(0);
            assertEquals(id, message.id(), "id");
            assertEquals(key, message.key(), "key");
            assertEquals(headers, message.headers(), "headers");
            assertArrayEquals(payload, message.payload(), "payload");
            assertEquals(0, message.attempts(), "attempts");
            batch.publishAll();
        }
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }
}
