package dev.outbox.publisher.tck;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Supplier;

/** Waits for what must happen. */
final class Patience {
    private Patience() {}

    static Duration get() {
        return Duration.ofSeconds(Long.getLong(PublisherTck.PATIENCE, 30));
    }

    /** Returns once something is true; fails if that takes too long. */
    static void await(String what, Callable<Boolean> condition) throws Exception {
        await(() -> what, condition);
    }

    /** The same, with a text about the end of the wait. */
    static void await(Supplier<String> what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + get().toNanos();
        while (!condition.call()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("Not within " + get().toSeconds() + " seconds: " + what.get());
            }
            Thread.sleep(10);
        }
    }
}
