package dev.outbox.jackson;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeFeature;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.outbox.Codec;
import dev.outbox.MessageRejectedException;
import java.io.IOException;
import java.lang.reflect.Type;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * JSON of which nothing is lost: types that cannot be read again are refused when the codec is made, and every message is read
 * after it was written and compared with what it was. Reading costs about what writing did, which is little beside the way to a
 * database; and nothing else finds a value that only this message has, in whatever type it may be.
 */
record VerifiedJson<T>(Json<T> json) implements Codec<T> {
    /** Unknown properties are ignored, so that an older relay reads what a newer writer wrote. */
    static final ObjectMapper MAPPER = JsonMapper.builder()
            .addModule(new JavaTimeModule().disable(JavaTimeFeature.NORMALIZE_DESERIALIZED_ZONE_ID))
            .addModule(new SimpleModule("outbox").addAbstractTypeMapping(Set.class, LinkedHashSet.class))
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS, SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
            .enable(SerializationFeature.WRITE_DATES_WITH_ZONE_ID)
            .disable(DeserializationFeature.ADJUST_DATES_TO_CONTEXT_TIME_ZONE)
            .disable(
                    SerializationFeature.FAIL_ON_EMPTY_BEANS) // a record without components is a message; see TypeCheck
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(JsonNodeFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private static final String HOW =
            " Use a type that has it, or a mapper of your own by JacksonCodecs.json(mapper, type).";

    static <T> Codec<T> of(Type type) {
        JavaType resolved = MAPPER.constructType(type);
        TypeCheck.check(MAPPER, resolved);
        return new VerifiedJson<>(new Json<>(MAPPER, resolved));
    }

    @Override
    public byte[] encode(T message) throws IOException {
        byte[] payload = json.encode(message);
        Difference difference;
        try {
            difference = Difference.between(message, json.decode(payload));
        } catch (IOException e) {
            throw new MessageRejectedException(
                    "The JSON that was written cannot be read again: " + e.getMessage() + "." + HOW, e);
        }
        if (difference != null) {
            throw new MessageRejectedException("JSON does not keep it: " + difference + "." + HOW);
        }
        return payload;
    }

    @Override
    public T decode(byte[] payload) throws IOException {
        return json.decode(payload);
    }
}
