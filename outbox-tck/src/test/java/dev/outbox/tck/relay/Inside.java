package dev.outbox.tck.relay;

import dev.outbox.Relay;
import java.lang.reflect.Method;

/** Sets what users of a relay cannot: the clock it goes by. */
final class Inside {
    private Inside() {}

    static <T> Relay.Builder set(Relay.Builder builder, String what, Class<T> type, T value) {
        try {
            Method setter = Relay.Builder.class.getDeclaredMethod(what, type);
            setter.setAccessible(true);
            setter.invoke(builder, value);
            return builder;
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }
}
