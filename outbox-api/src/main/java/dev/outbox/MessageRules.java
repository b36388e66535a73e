package dev.outbox;

import dev.outbox.internal.TopicNames;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a message may consist of, so that every store can keep it (rule OBX-INPUT-1). */
final class MessageRules {
    private MessageRules() {}

    static String checkTopic(String topic) {
        if (!TopicNames.isName(topic)) {
            throw new MessageRejectedException("Not a topic name: " + quote(topic) + ". Expected 1 to "
                    + OutgoingMessage.MAX_TOPIC_LENGTH + " of the characters A-Z a-z 0-9 . _ - / :");
        }
        return topic;
    }

    static void checkPartition(int partition) {
        if (partition < 0) {
            throw new MessageRejectedException("Partition " + partition + " is negative; expected 0 or more.");
        }
    }

    static void checkKey(@Nullable String key) {
        if (key == null) {
            return;
        }
        if (key.length() > OutgoingMessage.MAX_KEY_LENGTH) {
            throw new MessageRejectedException("The key has " + key.length() + " characters; at most "
                    + OutgoingMessage.MAX_KEY_LENGTH + " are allowed. It starts " + quote(key) + ".");
        }
        checkText("key", key);
    }

    static Map<String, String> checkedHeaders(Map<String, String> headers) {
        if (headers.isEmpty()) {
            return Map.of();
        }
        Map<String, String> copy = new LinkedHashMap<>();
        long length = 0;
        for (Map.Entry<String, String> header : headers.entrySet()) {
            @Nullable String name = header.getKey();
            @Nullable String value = header.getValue();
            if (name == null || name.isEmpty() || value == null) {
                throw new MessageRejectedException(
                        "Header " + (name == null ? "null" : quote(name)) + " needs a name and a value.");
            }
            checkText("name of header", name);
            checkText("value of header " + quote(name), value);
            length += name.length() + value.length();
            copy.put(name, value);
        }
        if (length > OutgoingMessage.MAX_HEADERS_LENGTH) {
            throw new MessageRejectedException("The headers have " + length + " characters together; at most "
                    + OutgoingMessage.MAX_HEADERS_LENGTH + " are allowed.");
        }
        return Collections.unmodifiableMap(copy);
    }

    static void checkPayload(byte[] payload) {
        if (payload.length > OutgoingMessage.MAX_PAYLOAD_BYTES) {
            throw new MessageRejectedException("The payload has " + payload.length + " bytes; at most "
                    + OutgoingMessage.MAX_PAYLOAD_BYTES
                    + " are allowed. Store large content elsewhere and publish a reference to it.");
        }
    }

    private static void checkText(String what, String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean pair = Character.isHighSurrogate(c)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1));
            if (c == 0 || Character.isSurrogate(c) && !pair) {
                throw new MessageRejectedException("The " + what + " has "
                        + (c == 0 ? "a NUL character" : "half of a surrogate pair") + " at index " + i
                        + ", which not every store can keep. Remove it, or put the text into the payload.");
            }
            if (pair) {
                i++;
            }
        }
    }

    static String quote(String text) {
        String shown = text.length() <= 80 ? text : text.substring(0, 80) + "…";
        StringBuilder quoted = new StringBuilder("'");
        shown.chars()
                .forEach(c ->
                        quoted.append(Character.isISOControl(c) || Character.isSurrogate((char) c) ? '?' : (char) c));
        return quoted.append('\'').toString();
    }
}
