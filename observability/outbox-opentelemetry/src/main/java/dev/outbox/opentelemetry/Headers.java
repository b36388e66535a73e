package dev.outbox.opentelemetry;

import dev.outbox.OutboxHeaders;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Headers of a message, as propagators read and write them. Names are equal without regard to capitals. */
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
            if (each.getKey().equalsIgnoreCase(key)) {
                return each.getValue();
            }
        }
        return null;
    }

    /** Replaces a header. Baggage that the application gave to the message is kept instead. */
    static void put(Map<String, String> headers, String name, String value) {
        boolean isThere = headers.keySet().stream().anyMatch(name::equalsIgnoreCase);
        if (isThere && name.equalsIgnoreCase(OutboxHeaders.BAGGAGE)) {
            return;
        }
        headers.keySet().removeIf(name::equalsIgnoreCase);
        headers.put(name, value);
    }
}
