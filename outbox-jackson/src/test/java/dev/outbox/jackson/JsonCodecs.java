package dev.outbox.jackson;

import dev.outbox.Codec;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;

/** Tests that the codecs of every artifact pass. */
public abstract class JsonCodecs {
    /** A generic type, written down as a subclass. */
    protected abstract static class TypeOf<T> {
        final Type type;

        protected TypeOf() {
            type = ((ParameterizedType) getClass().getGenericSuperclass()).getActualTypeArguments()[0];
        }
    }

    final JsonLibrary library;

    JsonCodecs(JsonLibrary library) {
        this.library = library;
    }

    final Class<? extends Exception> failure() {
        return library.failure();
    }

    protected final <T> Codec<T> json(Class<T> type) {
        return library.json(type);
    }

    protected final <T> Codec<T> json(TypeOf<T> type) {
        return library.json(type.type);
    }

    final <T> Codec<T> verified(Codec<T> codec) {
        return library.verified(codec);
    }
}
