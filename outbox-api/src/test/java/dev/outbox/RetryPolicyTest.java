package dev.outbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

class RetryPolicyTest {
    @Test
    void delaysGrowToTheCeiling() {
        RetryPolicy policy = RetryPolicy.defaults().withJitter(0);
        assertEquals(Duration.ofSeconds(1), policy.delayAfter(1));
        assertEquals(Duration.ofSeconds(2), policy.delayAfter(2));
        assertEquals(Duration.ofSeconds(256), policy.delayAfter(9));
        assertEquals(Duration.ofMinutes(5), policy.delayAfter(10));
        assertEquals(Duration.ofMinutes(5), policy.delayAfter(Integer.MAX_VALUE));
    }

    @Test
    void byDefaultAMessageIsCarriedOverAboutAnHour() {
        RetryPolicy policy = RetryPolicy.defaults().withJitter(0);
        Duration all = Duration.ZERO;
        for (int attempts = 1; !policy.givesUpAfter(attempts); attempts++) {
            all = all.plus(policy.delayAfter(attempts));
        }
        assertTrue(
                all.compareTo(Duration.ofMinutes(55)) > 0 && all.compareTo(Duration.ofMinutes(65)) < 0, all.toString());
    }

    @Test
    void jitterVariesWithinItsBounds() {
        RetryPolicy policy =
                RetryPolicy.defaults().withInitialDelay(Duration.ofSeconds(10)).withJitter(0.5);
        long distinct = 0;
        Duration last = Duration.ZERO;
        for (int i = 0; i < 1000; i++) {
            Duration delay = policy.delayAfter(1);
            assertTrue(delay.toMillis() >= 5_000 && delay.toMillis() <= 15_000, delay.toString());
            distinct += delay.equals(last) ? 0 : 1;
            last = delay;
        }
        assertTrue(distinct > 900, "the delays hardly vary: " + distinct);
    }

    /** A delay that is asked for must not round to none, which would be a busy loop. */
    @Test
    void onlyADelayOfZeroIsNone() {
        RetryPolicy shortest =
                RetryPolicy.defaults().withInitialDelay(Duration.ofNanos(1)).withJitter(1);
        assertEquals(Duration.ofMillis(1), shortest.delayAfter(1));
        assertEquals(
                Duration.ofMillis(1), shortest.withMaxDelay(Duration.ofNanos(1)).delayAfter(9));
        RetryPolicy short500 = RetryPolicy.defaults()
                .withInitialDelay(Duration.ofNanos(500_000))
                .withJitter(0);
        assertEquals(Duration.ofMillis(4), short500.delayAfter(4));
        assertEquals(Duration.ZERO, shortest.withInitialDelay(Duration.ZERO).delayAfter(9));
        assertEquals(Duration.ZERO, shortest.withMaxDelay(Duration.ZERO).delayAfter(9));
    }

    @Test
    void givesUpAfterTheLastAttempt() {
        RetryPolicy policy = RetryPolicy.defaults().withMaxAttempts(3);
        assertFalse(policy.givesUpAfter(2));
        assertTrue(policy.givesUpAfter(3));
        assertFalse(policy.withUnlimitedAttempts().givesUpAfter(1_000_000));
    }

    @Test
    void refusesWhatMakesNoSense() {
        RetryPolicy policy = RetryPolicy.defaults();
        assertTrue(assertThrows(ConfigurationException.class, () -> policy.withMaxAttempts(0))
                .getMessage()
                .contains("maxAttempts is 0; expected at least 1"));
        assertThrows(ConfigurationException.class, () -> policy.withGrowth(0.5));
        assertThrows(ConfigurationException.class, () -> policy.withGrowth(Double.NaN));
        assertThrows(ConfigurationException.class, () -> policy.withJitter(1.1));
        assertThrows(ConfigurationException.class, () -> policy.withInitialDelay(Duration.ofMillis(-1)));
        assertThrows(ConfigurationException.class, () -> policy.withMaxDelay(Duration.ofMillis(-1)));
    }

    @Test
    void whatWasSetCanBeAskedFor() {
        RetryPolicy policy = RetryPolicy.defaults()
                .withMaxAttempts(3)
                .withInitialDelay(Duration.ofMillis(7))
                .withGrowth(1.5)
                .withMaxDelay(Duration.ofSeconds(9))
                .withJitter(0.1);
        assertEquals(3, policy.maxAttempts());
        assertEquals(Duration.ofMillis(7), policy.initialDelay());
        assertEquals(1.5, policy.growth());
        assertEquals(Duration.ofSeconds(9), policy.maxDelay());
        assertEquals(0.1, policy.jitter());
        assertEquals(Integer.MAX_VALUE, policy.withUnlimitedAttempts().maxAttempts());
        assertEquals(20, RetryPolicy.defaults().maxAttempts(), "the defaults stay as they are");
    }

    @Test
    void whatThisProcessLacksIsNoFaultOfAMessage() {
        for (Throwable shortage : List.of(
                new IOException(
                        "Cannot get a connection", new NoSuchElementException("Timeout waiting for idle object")),
                new IllegalStateException(new RejectedExecutionException("the queue is full")),
                new IOException("accept: Too many open files"))) {
            assertEquals(FailureKind.UNAVAILABLE, RetryPolicy.defaults().kindOf(shortage), shortage::toString);
        }
        for (Throwable other : List.of(
                new IllegalStateException(), new NoSuchElementException("no value"), new IOException("broken"))) {
            assertEquals(FailureKind.TRANSIENT, RetryPolicy.defaults().kindOf(other), other::toString);
        }
        assertEquals(
                FailureKind.TRANSIENT,
                RetryPolicy.defaults()
                        .withClassifier(failure -> FailureKind.TRANSIENT)
                        .kindOf(new RejectedExecutionException()),
                "what a classifier says stands");
    }
}
