package dev.outbox.store.redis;

import dev.outbox.OutgoingMessage;
import dev.outbox.store.support.HeadersJson;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a message has in addition to its payload, as the name of its field: a 1, which says what follows; 16 bytes, the
 * id; then, unless there is neither key nor headers, the length of the key plus one in two bytes, 0 if there is none,
 * the key, and the headers as JSON, nothing if there are none.
 *
 * @param id as it is shown
 */
record EntryHeader(String id, @Nullable String key, Map<String, String> headers) {
    private static final byte FORMAT = 1;
    private static final int ID_END = 1 + MessageId.BYTES;
    private static final int KEY_BEGIN = ID_END + 2;
    private static final byte[] NONE = {};

    static byte[] write(OutgoingMessage message) {
        String key = message.key();
        byte[] keyBytes = key == null ? NONE : KeySpace.bytes(key);
        byte[] headers = message.headers().isEmpty() ? NONE : HeadersJson.bytes(message.headers());
        boolean plain = key == null && headers.length == 0;
        byte[] header = new byte[plain ? ID_END : KEY_BEGIN + keyBytes.length + headers.length];
        header[0] = FORMAT;
        System.arraycopy(MessageId.stored(message.id()), 0, header, 1, MessageId.BYTES);
        if (!plain) {
            int length = key == null ? 0 : keyBytes.length + 1;
            header[ID_END] = (byte) (length >> 8);
            header[ID_END + 1] = (byte) length;
            System.arraycopy(keyBytes, 0, header, KEY_BEGIN, keyBytes.length);
            System.arraycopy(headers, 0, header, KEY_BEGIN + keyBytes.length, headers.length);
        }
        return header;
    }

    /**
     * As far as it goes: of dead letters, operators see what there is. What others wrote has another id, and nothing
     * else.
     */
    static EntryHeader read(byte[] header, byte[] otherId) {
        if (!isOurs(header)) {
            return new EntryHeader(Reply.text(otherId), null, Map.of());
        }
        String id = MessageId.shown(header, 1);
        if (header.length < KEY_BEGIN) {
            return new EntryHeader(id, null, Map.of());
        }
        int length = (header[ID_END] & 0xff) << 8 | header[ID_END + 1] & 0xff;
        int keyEnd = Math.min(header.length, KEY_BEGIN + Math.max(0, length - 1));
        String key = length == 0 ? null : new String(header, KEY_BEGIN, keyEnd - KEY_BEGIN, StandardCharsets.UTF_8);
        return new EntryHeader(
                id, key, keyEnd == header.length || !areHeaders(header, keyEnd) ? Map.of() : headers(header, keyEnd));
    }

    /** Whether it is an id and nothing else, as that of most messages. */
    static boolean isPlain(byte[] header) {
        return header.length == ID_END && header[0] == FORMAT;
    }

    /** Why it cannot be read as it was written, or null if it can. */
    static @Nullable String problem(byte[] header) {
        if (!isOurs(header)) {
            return "its first field is not called as those are that the outbox writes";
        }
        if (header.length == ID_END) {
            return null;
        }
        if (header.length < KEY_BEGIN) {
            return "what its first field is called ends within the length of the key";
        }
        int length = (header[ID_END] & 0xff) << 8 | header[ID_END + 1] & 0xff;
        int keyEnd = KEY_BEGIN + Math.max(0, length - 1);
        if (keyEnd > header.length) {
            return "what its first field is called ends within the key";
        }
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(header, KEY_BEGIN, keyEnd - KEY_BEGIN));
        } catch (CharacterCodingException e) {
            return "its key is no text";
        }
        return keyEnd == header.length || areHeaders(header, keyEnd)
                ? null
                : "its headers are not a JSON object of strings";
    }

    private static Map<String, String> headers(byte[] header, int begin) {
        return HeadersJson.read(Arrays.copyOfRange(header, begin, header.length));
    }

    private static boolean areHeaders(byte[] header, int begin) {
        try {
            headers(header, begin);
            return true;
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    /** The id as it is stored. */
    static byte[] id(byte[] header, byte[] otherId) {
        return isOurs(header) ? Arrays.copyOfRange(header, 1, ID_END) : otherId;
    }

    private static boolean isOurs(byte[] header) {
        return header.length >= ID_END && header[0] == FORMAT;
    }
}
