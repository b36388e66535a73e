package dev.outbox.jackson;

import dev.outbox.Codec;
import java.lang.reflect.Type;

/** The codecs of one artifact. */
public interface JsonLibrary {
    /** The class that has the codecs. */
    String name();

    /** What the library throws. */
    Class<? extends Exception> failure();

    <T> Codec<T> json(Class<T> type);

    <T> Codec<T> json(Type type);

    /** By a mapper of which nothing is set. */
    <T> Codec<T> ofAPlainMapper(Class<T> type);

    <T> Codec<T> verified(Codec<T> codec);
}
