package dev.outbox.jackson3;

import dev.outbox.Codec;
import dev.outbox.internal.json.KeptJson;
import dev.outbox.internal.json.VerifiedCodec;
import java.lang.reflect.Type;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.ObjectMapper;

/** Codecs for JSON by Jackson 3. */
public final class Jackson3Codecs {
    private static final String INSTEAD =
            "Use a type that has it, or a mapper of your own by Jackson3Codecs.json(mapper, type).";

    private Jackson3Codecs() {}

    /**
     * JSON as topics have it unless they are told otherwise: {@link dev.outbox.Codecs#json} finds this one.
     *
     * <p>What it writes comes back equal: a type that cannot be read again is refused here, and a message that would
     * come back as something else is refused when it is published, since each is read and compared after it was
     * written. So are a subclass of the type, a {@code BigDecimal} in a {@code Map} of {@code Object}, and a field
     * without a way to write and read it; what is {@code transient} or ignored by Jackson's annotations does not
     * count. Classes without {@code equals} are compared field by field, and numbers of a {@code JsonNode} by their
     * values.
     *
     * <p>{@code java.time} values are in ISO form, with their offsets and zones. Unknown properties are ignored, so
     * that an older relay reads what a newer writer wrote. In a named module, open the package of the type to
     * {@code tools.jackson.databind}.
     *
     * @throws dev.outbox.ConfigurationException if the type cannot be read again, as a class without a constructor
     *     for Jackson, an inner class, or an interface
     */
    public static <T> Codec<T> json(Class<T> type) {
        return kept(type);
    }

    /** The same for a generic type, as in {@code json(new TypeReference<List<Order>>() {})}. */
    public static <T> Codec<T> json(TypeReference<T> type) {
        return kept(type.getType());
    }

    /**
     * JSON by a mapper of your own, as you have set it up: nothing is refused but what it refuses. {@link #verified}
     * says in a test what it does not keep.
     */
    public static <T> Codec<T> json(ObjectMapper mapper, TypeReference<T> type) {
        return new Json<>(mapper, mapper.constructType(type.getType()));
    }

    /**
     * A codec that reads again what it has written, and rejects the message if it has become something else, with a
     * text that says where and shows both values. Meant for tests of a codec of your own, for JSON or not: publishing
     * takes twice the time, and values are in the text of the exception. What is compared, and how, is as in
     * {@link #json(Class)}.
     */
    public static <T> Codec<T> verified(Codec<T> codec) {
        return new VerifiedCodec<>(codec, JacksonBinding.CONTENTS);
    }

    private static <T> Codec<T> kept(Type type) {
        JavaType resolved = Mapper.DEFAULT.constructType(type);
        TypeCheck.check(Mapper.DEFAULT, resolved);
        return new KeptJson<>(new Json<>(Mapper.DEFAULT, resolved), JacksonBinding.CONTENTS, INSTEAD);
    }
}
