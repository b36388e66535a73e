package dev.outbox.opentelemetry;

import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Headers of a message, as propagators read them. */
enum Headers implements TextMapGetter<Map<String, String>> {
    /** The only one. */
    GETTER;

    @Override
    public Iterable<String> keys(Map<String, String> carrier) {
        return carrier.keySet();
    }

    /** Names of propagators are in lower case; another writer may have capitals. */
    @Override
    public @Nullable String get(@Nullable Map<String, String> carrier, String key) {
        if (carrier == null) {
            return null;
        }
        String exact = carrier.get(key);
        if (exact != null) {
            return exact;
        }
        for (Map.Entry<String, String> each : carrier.entrySet()) {
            if (each.getKey().toLowerCase(Locale.ROOT).equals(key.toLowerCase(Locale.ROOT))) {
                return each.getValue();
            }
        }
        return null;
    }
}
