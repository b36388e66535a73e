package dev.outbox.internal.json;

import dev.outbox.Codec;
import dev.outbox.MessageRejectedException;

/**
 * JSON of which nothing is lost: every message is read after it was written and compared with what it was. Reading
 * costs about what writing did, which is little compared with the way to a database. Nothing else finds a value that
 * only this message has, in whatever type it may be.
 *
 * @param instead what an application can do that needs a message that is refused, as a sentence
 */
public record KeptJson<T>(Codec<T> json, Contents contents, String instead) implements Codec<T> {
    @Override
    public byte[] encode(T message) throws Exception {
        byte[] payload = json.encode(message);
        T read;
        try {
            read = json.decode(payload);
        } catch (Exception e) {
            throw new MessageRejectedException(
                    "The JSON that was written cannot be read again: " + e.getMessage() + ". " + instead, e);
        }
        Difference difference = contents.between(message, read);
        if (difference != null) {
            throw new MessageRejectedException("JSON does not keep it: " + difference + ". " + instead);
        }
        return payload;
    }

    @Override
    public T decode(byte[] payload) throws Exception {
        return json.decode(payload);
    }
}
