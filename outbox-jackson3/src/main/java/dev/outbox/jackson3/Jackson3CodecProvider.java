package dev.outbox.jackson3;

import com.google.auto.service.AutoService;
import dev.outbox.Codec;
import dev.outbox.JsonCodecProvider;

/** Finds {@link Jackson3Codecs#json(Class)} for topics. Public for {@link java.util.ServiceLoader} alone. */
@SuppressWarnings("exports") // the annotation is gone in the class file
@AutoService(JsonCodecProvider.class)
public final class Jackson3CodecProvider implements JsonCodecProvider {
    /** For {@link java.util.ServiceLoader}. */
    public Jackson3CodecProvider() {}

    @Override
    public <T> Codec<T> json(Class<T> type) {
        return Jackson3Codecs.json(type);
    }

    @Override
    public String description() {
        return "outbox-jackson3: JSON by Jackson 3";
    }
}
