package dev.outbox.tck.internal.explore;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.Store;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A call that takes long on a machine that is busy with others is no call that does not return. */
class RunnerTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Test
    void aMachineThatIsBusyGetsMoreTime() {
        try (Runner runner = new Runner(new Nothing(), Duration.ZERO, PATIENCE)) {
            assertEquals(PATIENCE, runner.patience(TimeUnit.MILLISECONDS.toNanos(30)));
            assertEquals(Duration.ofMinutes(5), runner.patience(TimeUnit.MILLISECONDS.toNanos(800)));
        }
    }

    /** A store of which nothing is asked. */
    private static final class Nothing implements Target {
        @Override
        public String createOutbox() {
            throw new AssertionError("not asked for");
        }

        @Override
        public Store open(String address) {
            throw new AssertionError("not asked for");
        }

        @Override
        public Transaction begin(String address) {
            throw new AssertionError("not asked for");
        }

        @Override
        public void dropOutbox(String address) {
            throw new AssertionError("not asked for");
        }
    }
}
