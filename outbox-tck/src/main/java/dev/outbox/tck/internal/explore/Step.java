package dev.outbox.tck.internal.explore;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An operation with its numbers. Every sequence of steps can be run: a step whose transaction or batch is not open does
 * nothing. So steps can be left out, and numbers made smaller, without a look at the others.
 */
public record Step(Kind kind, List<Long> numbers) {
    /** What a step does, as {@code Steps} has it, and the least that each of its numbers may be. */
    public enum Kind {
        BEGIN("begin", "1"),
        WRITE("write", "110110"),
        WRITE_TOGETHER("writeTogether", "110110"),
        SAVEPOINT("savepoint", "1"),
        ROLL_BACK_TO_SAVEPOINT("rollBackToSavepoint", "1"),
        COMMIT("commit", "1"),
        ROLL_BACK("rollBack", "1"),
        CHECK_OUT("checkOut", "11111"),
        PUBLISH("publish", "1011"),
        FAIL("fail", "10110"),
        BURY("bury", "1011"),
        PUBLISH_HEADS("publishHeads", "1011"),
        FAIL_HEADS("failHeads", "10110"),
        BURY_HEADS("buryHeads", "1011"),
        CLOSE("close", "1"),
        MISUSE("misuse", "1"),
        CLOSE_AGAIN("closeAgain", "1"),
        RETRY_NOW("retryNow", "110"),
        RETRY_TOPIC_NOW("retryTopicNow", "11"),
        REMOVE_PENDING("removePending", "111"),
        MOVE_PENDING("movePending", "11111"),
        REDRIVE("redrive", "1101"),
        REDRIVE_BACKWARDS("redriveBackwards", "1101"),
        REDRIVE_ACROSS("redriveAcross", "1111"),
        DISCARD("discard", "1101"),
        DISCARD_ACROSS("discardAcross", "1111"),
        LOOK("look", "11"),
        AWAIT_DELAYS("awaitDelays", ""),
        REST("rest", "1"),
        REOPEN("reopen", "1"),
        MEANWHILE("meanwhile", ""),
        FINISH("finish", "1");

        final String method;
        /** A digit for each number. */
        private final String least;

        boolean isFailure() {
            return this == FAIL || this == FAIL_HEADS;
        }

        Kind(String method, String least) {
            this.method = method;
            this.least = least;
        }
    }

    /** Checks how many numbers there are. */
    public Step {
        if (numbers.size() != kind.least.length()) {
            throw new IllegalArgumentException(kind + " has " + numbers.size() + " numbers");
        }
        numbers = List.copyOf(numbers);
    }

    /** One of a kind. */
    public static Step of(Kind kind, long... numbers) {
        return new Step(kind, java.util.Arrays.stream(numbers).boxed().toList());
    }

    int at(int index) {
        return Math.toIntExact(numbers.get(index));
    }

    /** Of a step that has one: the last number. */
    long delayMillis() {
        return numbers.get(numbers.size() - 1);
    }

    /** The same with one number smaller, the smallest first. */
    List<Step> smaller() {
        List<Step> smaller = new ArrayList<>();
        for (int i = 0; i < numbers.size(); i++) {
            long now = numbers.get(i);
            int least = kind.least.charAt(i) - '0';
            int index = i;
            Stream.of((long) least, least + 1L, (now + least) / 2, now - (now - least) / 8, now - 1)
                    .filter(number -> number < now && number >= least)
                    .distinct()
                    .forEach(number -> {
                        List<Long> changed = new ArrayList<>(numbers);
                        changed.set(index, number);
                        smaller.add(new Step(kind, changed));
                    });
        }
        return smaller;
    }

    /** As it is called on {@code Steps}. */
    String code() {
        return "." + kind.method + numbers.stream().map(Step::literal).collect(Collectors.joining(", ", "(", ")"));
    }

    private static String literal(long number) {
        return number > Integer.MAX_VALUE ? number + "L" : Long.toString(number);
    }
}
