package dev.outbox.jackson;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.outbox.Codec;
import java.io.IOException;
import java.lang.reflect.Type;

/** What {@link JacksonCodecs} offers. */
final class Jackson2 implements JsonLibrary {
    @Override
    public String name() {
        return "JacksonCodecs";
    }

    @Override
    public Class<? extends Exception> failure() {
        return IOException.class;
    }

    @Override
    public <T> Codec<T> json(Class<T> type) {
        return JacksonCodecs.json(type);
    }

    @Override
    public <T> Codec<T> json(Type type) {
        return JacksonCodecs.json(referenceTo(type));
    }

    @Override
    public <T> Codec<T> ofAPlainMapper(Class<T> type) {
        return JacksonCodecs.json(JsonMapper.builder().build(), referenceTo(type));
    }

    @Override
    public <T> Codec<T> verified(Codec<T> codec) {
        return JacksonCodecs.verified(codec);
    }

    private static <T> TypeReference<T> referenceTo(Type type) {
        return new TypeReference<>() {
            @Override
            public Type getType() {
                return type;
            }
        };
    }
}
