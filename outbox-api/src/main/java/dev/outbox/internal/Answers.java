package dev.outbox.internal;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What publishers answer. Null looks like an answer that nobody waited for. */
public final class Answers {
    private Answers() {}

    /** A receipt, or the stage of an asynchronous publisher; anything but null. */
    public static <A> A required(
            @Nullable A answer, String topic, Function<String, ? extends RuntimeException> misuse) {
        if (answer == null) {
            throw misuse.apply(missing(topic));
        }
        return answer;
    }

    /** What is wrong with null. */
    public static String missing(String topic) {
        return "The publisher of topic " + topic + " returned null, which says nothing about whether"
                + " the broker has the message. Return Receipt.of(id) or Receipt.taken() once it has it; from an"
                + " asynchronous publisher a stage that is completed with that.";
    }
}
