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

    /** The answer of a synchronous publisher, or what the stage of an asynchronous one was completed with. */
    static Receipt require(@Nullable Receipt answer, String topic) {
        if (answer == null) {
            throw missing(topic);
        }
        return answer;
    }

    /** Null looks like an answer that nobody waited for. */
    static MisuseException missing(String topic) {
        return new MisuseException(
                "The publisher of topic " + topic + " returned null, which says nothing about whether"
                        + " the broker has the message. Return Receipt.of(id) or Receipt.taken() once it has it; from an"
                        + " asynchronous publisher a stage that is completed with that.");
    }
}
