package dev.outbox.jackson3;

import dev.outbox.Codec;
import java.io.IOException;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.ObjectWriter;

/** JSON as a mapper writes and reads it. */
record Json<T>(JavaType type, ObjectWriter writer, ObjectReader reader) implements Codec<T> {
    Json(ObjectMapper mapper, JavaType type) {
        this(type, mapper.writerFor(type), mapper.readerFor(type));
    }

    @Override
    public byte[] encode(T message) throws IOException {
        return writer.writeValueAsBytes(message);
    }

    @Override
    public T decode(byte[] payload) throws IOException {
        T message = reader.readValue(payload);
        if (message == null) {
            throw new IOException("The payload is the JSON text null; expected " + type.toCanonical() + ".");
        }
        return message;
    }
}
