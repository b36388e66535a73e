package dev.outbox.jackson;

import com.google.auto.service.AutoService;
import dev.outbox.Codec;
import dev.outbox.JsonCodecProvider;

/** Finds {@link JacksonCodecs#json(Class)} for topics. Public for {@link java.util.ServiceLoader} alone. */
@SuppressWarnings("exports") // the annotation is gone in the class file
@AutoService(JsonCodecProvider.class)
public final class JacksonCodecProvider implements JsonCodecProvider {
    /** For {@link java.util.ServiceLoader}. */
    public JacksonCodecProvider() {}

    @Override
    public <T> Codec<T> json(Class<T> type) {
        return JacksonCodecs.json(type);
    }

    @Override
    public String description() {
        return "outbox-jackson: JSON by Jackson 2";
    }
}
