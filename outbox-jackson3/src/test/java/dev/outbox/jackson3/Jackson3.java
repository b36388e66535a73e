package dev.outbox.jackson3;

import dev.outbox.Codec;
import dev.outbox.jackson.JsonLibrary;
import java.lang.reflect.Type;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** What {@link Jackson3Codecs} offers. */
final class Jackson3 implements JsonLibrary {
    @Override
    public String name() {
        return "Jackson3Codecs";
    }

    @Override
    public Class<? extends Exception> failure() {
        return JacksonException.class;
    }

    @Override
    public <T> Codec<T> json(Class<T> type) {
        return Jackson3Codecs.json(type);
    }

    @Override
    public <T> Codec<T> json(Type type) {
        return Jackson3Codecs.json(referenceTo(type));
    }

    @Override
    public <T> Codec<T> ofAPlainMapper(Class<T> type) {
        return Jackson3Codecs.json(JsonMapper.builder().build(), referenceTo(type));
    }

    @Override
    public <T> Codec<T> verified(Codec<T> codec) {
        return Jackson3Codecs.verified(codec);
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
