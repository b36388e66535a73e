package com.example.outbox;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/** Headers as bytes: each text is its length and its UTF-8, a name and its value in turn. */
final class Headers {
    private Headers() {}

    static byte[] encode(Map<String, String> headers) {
        byte[][] texts = headers.entrySet().stream()
                .flatMap(header -> Stream.of(header.getKey(), header.getValue()))
                .map(text -> text.getBytes(StandardCharsets.UTF_8))
                .toArray(byte[][]::new);
        int length = 0;
        for (byte[] text : texts) {
            length += 4 + text.length;
        }
        ByteBuffer bytes = ByteBuffer.allocate(length);
        for (byte[] text : texts) {
            bytes.putInt(text.length).put(text);
        }
        return bytes.array();
    }

    static Map<String, String> decode(byte[] encoded) {
        Map<String, String> headers = new HashMap<>();
        for (ByteBuffer bytes = ByteBuffer.wrap(encoded); bytes.hasRemaining(); ) {
            headers.put(text(bytes), text(bytes));
        }
        return Map.copyOf(headers);
    }

    private static String text(ByteBuffer bytes) {
        byte[] text = new byte[bytes.getInt()];
        bytes.get(text);
        return new String(text, StandardCharsets.UTF_8);
    }
}
