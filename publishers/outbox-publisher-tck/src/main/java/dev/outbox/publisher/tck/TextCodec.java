package dev.outbox.publisher.tck;

import dev.outbox.Codec;
import java.nio.charset.StandardCharsets;

/** For topics that are built to see whether a publisher refuses them. */
final class TextCodec implements Codec<String> {
    @Override
    public byte[] encode(String message) {
        return message.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String decode(byte[] payload) {
        return new String(payload, StandardCharsets.UTF_8);
    }
}
