package dev.outbox;

import dev.outbox.internal.Causes;
import dev.outbox.internal.Durations;
import dev.outbox.internal.Shortages;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How often, and after which delays, a message that failed is tried again before it is given up. Immutable: a method
 * {@code with…} returns another policy and leaves this one as it is.
 *
 * <p>By default 20 attempts: delays of 1 second, 2, 4 … up to 5 minutes, each varied at random by up to 20 %, which
 * carries a message over about an hour of failures. A {@link PermanentFailureException} is not tried again, and a
 * {@link BrokerUnavailableException} counts no attempt; {@link #withClassifier} says which exceptions of others mean
 * the same.
 */
@CheckReturnValue
public final class RetryPolicy {
    /** A client may throw the same exception again and again. */
    private static final int MOST_SUPPRESSED = 10;

    private static final RetryPolicy DEFAULTS =
            new RetryPolicy(20, Duration.ofSeconds(1), 2, Duration.ofMinutes(5), 0.2, failure -> null);

    private final int maxAttempts;
    private final Duration initialDelay;
    private final double growth;
    private final Duration maxDelay;
    private final double jitter;
    private final Function<? super Throwable, ? extends @Nullable FailureKind> classifier;

    private RetryPolicy(
            int maxAttempts,
            Duration initialDelay,
            double growth,
            Duration maxDelay,
            double jitter,
            Function<? super Throwable, ? extends @Nullable FailureKind> classifier) {
        this.maxAttempts = maxAttempts;
        this.initialDelay = initialDelay;
        this.growth = growth;
        this.maxDelay = maxDelay;
        this.jitter = jitter;
        this.classifier = classifier;
    }

    /** The default described above. */
    public static RetryPolicy defaults() {
        return DEFAULTS;
    }

    /** How often a message is tried before it becomes a dead letter; at least 1, which means no second try. */
    public RetryPolicy withMaxAttempts(int maxAttempts) {
        require(maxAttempts >= 1, "maxAttempts", maxAttempts, "at least 1");
        return new RetryPolicy(maxAttempts, initialDelay, growth, maxDelay, jitter, classifier);
    }

    /** Tries forever. A message that never succeeds then blocks its partition until an operator removes it. */
    public RetryPolicy withUnlimitedAttempts() {
        return new RetryPolicy(Integer.MAX_VALUE, initialDelay, growth, maxDelay, jitter, classifier);
    }

    /** The delay after the first failure, at most 365 days; zero always tries again immediately. */
    public RetryPolicy withInitialDelay(Duration initialDelay) {
        Durations.checked("Retry policy: initialDelay", Duration.ZERO, initialDelay, ConfigurationException::new);
        return new RetryPolicy(maxAttempts, initialDelay, growth, maxDelay, jitter, classifier);
    }

    /** By what each delay is multiplied to give the next; at least 1. */
    public RetryPolicy withGrowth(double growth) {
        require(growth >= 1 && Double.isFinite(growth), "growth", growth, "at least 1");
        return new RetryPolicy(maxAttempts, initialDelay, growth, maxDelay, jitter, classifier);
    }

    /** The longest delay, before jitter; at most 365 days. */
    public RetryPolicy withMaxDelay(Duration maxDelay) {
        Durations.checked("Retry policy: maxDelay", Duration.ZERO, maxDelay, ConfigurationException::new);
        return new RetryPolicy(maxAttempts, initialDelay, growth, maxDelay, jitter, classifier);
    }

    /** By which part of itself a delay is varied at random, up or down: 0 not at all, at most 1. */
    public RetryPolicy withJitter(double jitter) {
        require(jitter >= 0 && jitter <= 1, "jitter", jitter, "between 0 and 1");
        return new RetryPolicy(maxAttempts, initialDelay, growth, maxDelay, jitter, classifier);
    }

    /**
     * Says which exceptions of others, as those of a broker's client, mean that a message will never succeed, or that
     * the broker is away; null where it has nothing to say. Then the failure is {@link FailureKind#UNAVAILABLE} if this
     * process had no connection, thread or file descriptor to spare, which the relay knows by the exceptions of the
     * usual pools and executors. Otherwise it is {@link FailureKind#TRANSIENT}. The classifier is not asked about our
     * own {@link PermanentFailureException} and {@link BrokerUnavailableException}. It gets what was thrown, without
     * the wrappers of futures; for an {@link java.util.concurrent.CompletionException} its cause.
     *
     * <pre>{@code
     * RetryPolicy.defaults().withClassifier(failure ->
     *         failure instanceof RecordTooLargeException ? FailureKind.PERMANENT
     *                 : failure instanceof DisconnectException ? FailureKind.UNAVAILABLE : null);
     * }</pre>
     *
     * <p>Where a default does not fit, the classifier has the last word: an executor that was shut down rejects for
     * ever, and the message {@code Too many open files} may be the broker's.
     *
     * @param classifier safe for use by several threads; what it throws is added to the failure as suppressed, and the
     *     failure is what it would be without a classifier
     */
    public RetryPolicy withClassifier(Function<? super Throwable, ? extends @Nullable FailureKind> classifier) {
        Objects.requireNonNull(classifier, "classifier");
        return new RetryPolicy(maxAttempts, initialDelay, growth, maxDelay, jitter, classifier);
    }

    /** What a failure means, as {@link #withClassifier} has it. */
    public FailureKind kindOf(Throwable failure) {
        Throwable cause = Causes.unwrapped(failure);
        if (cause instanceof PermanentFailureException) {
            return FailureKind.PERMANENT;
        }
        if (cause instanceof BrokerUnavailableException) {
            return FailureKind.UNAVAILABLE;
        }
        if (cause instanceof PublishException && Causes.of(cause) instanceof Exception failed && failed != cause) {
            return kindOf(failed); // of a topic that this one forwards to
        }
        FailureKind kind = null;
        try {
            kind = classifier.apply(cause);
        } catch (Throwable e) {
            if (e != cause && cause.getSuppressed().length < MOST_SUPPRESSED) {
                cause.addSuppressed(e);
            }
        }
        if (kind != null) {
            return kind;
        }
        return Shortages.isOne(cause) ? FailureKind.UNAVAILABLE : FailureKind.TRANSIENT;
    }

    /** How often a message is tried before it becomes a dead letter; {@link Integer#MAX_VALUE} if there is no limit. */
    public int maxAttempts() {
        return maxAttempts;
    }

    /** The delay after the first failure. */
    public Duration initialDelay() {
        return initialDelay;
    }

    /** By what each delay is multiplied to give the next. */
    public double growth() {
        return growth;
    }

    /** The longest delay, before jitter. */
    public Duration maxDelay() {
        return maxDelay;
    }

    /** By which part of itself a delay is varied at random, up or down. */
    public double jitter() {
        return jitter;
    }

    /** Whether a message that has now failed this often is given up. */
    public boolean givesUpAfter(int attempts) {
        return attempts >= maxAttempts;
    }

    /**
     * The delay after this many failures, 1 or more; random within the jitter. It is zero only if the policy says so,
     * by {@link #withInitialDelay} or {@link #withMaxDelay}, and otherwise at least 1 millisecond.
     */
    public Duration delayAfter(int attempts) {
        if (initialDelay.isZero() || maxDelay.isZero()) {
            return Duration.ZERO;
        }
        double millis = Math.min(millis(maxDelay), millis(initialDelay) * Math.pow(growth, attempts - 1.0));
        double spread = jitter * (2 * ThreadLocalRandom.current().nextDouble() - 1);
        return Duration.ofMillis(Math.max(1, Math.round(millis * (1 + spread))));
    }

    private static double millis(Duration duration) {
        return duration.toNanos() / 1e6;
    }

    private static void require(boolean holds, String name, Object value, String expected) {
        if (!holds) {
            throw new ConfigurationException("Retry policy: " + name + " is " + value + "; expected " + expected + ".");
        }
    }

    @Override
    public String toString() {
        return "RetryPolicy[maxAttempts=" + (maxAttempts == Integer.MAX_VALUE ? "unlimited" : maxAttempts)
                + ", initialDelay=" + initialDelay + ", growth=" + growth + ", maxDelay=" + maxDelay + ", jitter="
                + jitter + "]";
    }
}
