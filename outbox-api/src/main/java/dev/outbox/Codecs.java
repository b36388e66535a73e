package dev.outbox;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.outbox.spi.Codec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** The codecs that come with outbox. */
public final class Codecs {
    /** ISO dates; unknown properties are ignored, so that an older relay reads what a newer writer wrote. */
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .addModule(new JavaTimeModule())
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private Codecs() {}

    /**
     * JSON by Jackson: {@code java.time} values in ISO form, unknown properties ignored. What a {@link Topic} uses unless
     * told otherwise. In a named module, open the package of the type to {@code com.fasterxml.jackson.databind}.
     */
    public static <T> Codec<T> json(Class<T> type) {
        return new Json<>(MAPPER, MAPPER.constructType(type));
    }

    /** The same for a generic type, as in {@code json(new TypeReference<List<Order>>() {})}. */
    public static <T> Codec<T> json(TypeReference<T> type) {
        return json(MAPPER, type);
    }

    /** JSON by a mapper of your own. */
    public static <T> Codec<T> json(ObjectMapper mapper, TypeReference<T> type) {
        return new Json<>(mapper, mapper.constructType(type.getType()));
    }

    /** Bytes as they are. */
    public static Codec<byte[]> bytes() {
        return Bytes.INSTANCE;
    }

    /** Text in UTF-8; text that is not valid Unicode is refused. */
    public static Codec<String> text() {
        return Text.INSTANCE;
    }

    private record Json<T>(ObjectMapper mapper, JavaType type) implements Codec<T> {
        @Override
        public byte[] encode(T message) throws IOException {
            return mapper.writerFor(type).writeValueAsBytes(message);
        }

        @Override
        public T decode(byte[] payload) throws IOException {
            T message = mapper.readValue(payload, type);
            if (message == null) {
                throw new IOException("The payload is the JSON text null; expected " + type.toCanonical() + ".");
            }
            return message;
        }
    }

    private enum Bytes implements Codec<byte[]> {
        INSTANCE;

        @Override
        public byte[] encode(byte[] message) {
            return message.clone();
        }

        @Override
        public byte[] decode(byte[] payload) {
            return payload;
        }
    }

    private enum Text implements Codec<String> {
        INSTANCE;

        @Override
        public byte[] encode(String message) throws CharacterCodingException {
            ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(java.nio.CharBuffer.wrap(message));
            byte[] bytes = new byte[encoded.remaining()];
            encoded.get(bytes);
            return bytes;
        }

        @Override
        public String decode(byte[] payload) throws CharacterCodingException {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(payload))
                    .toString();
        }
    }
}
