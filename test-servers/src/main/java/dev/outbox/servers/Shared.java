package dev.outbox.servers;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The one server of its kind in this JVM. It is looked for once: if there is none, every test class that asks is told so
 * at once, instead of trying everything anew.
 */
final class Shared<S> {
    private final Supplier<S> start;
    private @Nullable S server;
    private @Nullable IllegalStateException failure;

    Shared(Supplier<S> start) {
        this.start = start;
    }

    synchronized S get() {
        if (failure != null) {
            throw new IllegalStateException(failure.getMessage(), failure);
        }
        S known = server;
        if (known == null) {
            try {
                known = start.get();
            } catch (IllegalStateException e) {
                failure = e;
                throw e;
            }
            server = known;
        }
        return known;
    }
}
