package dev.outbox.servers;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The one server of its kind in this JVM. The search for it happens once. If it finds none, every later test class is
 * told so immediately, and does not try everything again.
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
