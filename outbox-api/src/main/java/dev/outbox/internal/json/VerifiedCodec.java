package dev.outbox.internal.json;

import dev.outbox.Codec;
import dev.outbox.MessageRejectedException;

/** A codec of an application, and a comparison that shows the values that differ. */
public record VerifiedCodec<T>(Codec<T> codec, Contents contents) implements Codec<T> {
    @Override
    public byte[] encode(T message) throws Exception {
        byte[] payload = codec.encode(message);
        Difference difference = contents.between(message, codec.decode(payload.clone()));
        if (difference != null) {
            throw new MessageRejectedException("The message is not what comes back: " + difference.withValues() + ".");
        }
        return payload;
    }

    @Override
    public T decode(byte[] payload) throws Exception {
        return codec.decode(payload);
    }
}
