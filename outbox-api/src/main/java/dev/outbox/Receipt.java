package dev.outbox;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The answer of a broker: it has the message. A publisher returns it when it knows that, and not before.
 *
 * @param id what the broker called the message, or null if it named it nothing
 */
public record Receipt(@Nullable String id) {
    private static final Receipt TAKEN = new Receipt(null);

    /** The broker has the message and calls it this; not null. */
    public static Receipt of(String id) {
        return new Receipt(Objects.requireNonNull(
                id, "the broker's id of the message is null; return Receipt.taken() if the broker names none"));
    }

    /** The broker has the message and named no id for it. */
    public static Receipt taken() {
        return TAKEN;
    }
}
