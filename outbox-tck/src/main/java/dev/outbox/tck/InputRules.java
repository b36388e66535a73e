package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.MessageRejectedException;
import dev.outbox.MisuseException;
import dev.outbox.OutgoingMessage;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.function.Executable;

/** Bad input is refused immediately, and the error says what was wrong. */
@AtLevel(Level.CONTRACT)
interface InputRules {
    @Rule("OBX-INPUT-1")
    default void unacceptableMessagesAreRefused(TestOutbox outbox) throws Exception {
        byte[] none = {};
        for (String topic : new String[] {"", "a b", "\u00e9", "a\0", "a%", "x".repeat(201)}) {
            assertRejected("topic '" + topic + "'", () -> new OutgoingMessage(topic, 0, null, Map.of(), none));
        }
        assertRejected("a negative partition", () -> new OutgoingMessage(TOPIC, -1, null, Map.of(), none));
        for (String text : new String[] {"a\0b", "\ud83d", "\udc1d", "\ud83dx", "x\udc1d\ud83d"}) {
            assertRejected("a key with NUL or half a pair", () -> new OutgoingMessage(TOPIC, 0, text, Map.of(), none));
            assertRejected("a header value", () -> new OutgoingMessage(TOPIC, 0, null, Map.of("a", text), none));
            assertRejected("a header name", () -> new OutgoingMessage(TOPIC, 0, null, Map.of(text, "a"), none));
        }
        assertRejected("a long key", () -> new OutgoingMessage(TOPIC, 0, "k".repeat(1_001), Map.of(), none));
        assertRejected(
                "long headers", () -> new OutgoingMessage(TOPIC, 0, null, Map.of("h", "v".repeat(32_000)), none));
        assertRejected(
                "a large payload",
                () -> new OutgoingMessage(TOPIC, 0, null, Map.of(), new byte[OutgoingMessage.MAX_PAYLOAD_BYTES + 1]));
        outbox.commit(TOPIC, 0, "accepted");
        assertEquals(List.of("accepted"), outbox.open().publishAll(10), "all that was ever written");
    }

    @Rule("OBX-INPUT-2")
    default void aCheckoutOfNothingIsRefused(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1");
        assertThrows(MisuseException.class, () -> client.store().checkout(Set.of(), 10), "a checkout without topics");
        for (int limit : new int[] {0, -1, Integer.MIN_VALUE}) {
            assertThrows(MisuseException.class, () -> client.checkout(limit), "a checkout with limit " + limit);
        }
        assertEquals(List.of("1"), client.publishAll(10), "what is free after refused checkouts");
    }

    @Rule("OBX-INPUT-3")
    default void aNegativeDelayIsRefused(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1");
        try (Client.Batch batch = client.await(10)) {
            assertThrows(
                    MisuseException.class,
                    () -> batch.fail(batch.get(0), Duration.ofNanos(-1)),
                    "markFailed with a negative delay");
            batch.publish(batch.get(0));
        }
        client.expectNothing("the message was published after the refused mark");
    }

    private static void assertRejected(String what, Executable constructor) {
        MessageRejectedException refusal = assertThrows(MessageRejectedException.class, constructor, what);
        assertTrue(
                refusal.getMessage() != null && !refusal.getMessage().isBlank(),
                "the refusal of " + what + " says why");
    }
}
