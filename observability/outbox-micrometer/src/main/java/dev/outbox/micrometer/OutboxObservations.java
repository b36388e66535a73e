package dev.outbox.micrometer;

import dev.outbox.Delivery;
import dev.outbox.Receipt;
import dev.outbox.relay.PublishInterceptor;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * Observes every call of a publisher by a relay: from the call to the answer of the broker. The observation is the
 * current one while the publisher's code runs, so that observations of the broker's client are its children.
 *
 * <pre>{@code
 * Relay.builder(store).topic(orders).around(new OutboxObservations(registry)).build();
 * }</pre>
 *
 * <p>Safe for use by several threads.
 */
public final class OutboxObservations implements PublishInterceptor {
    private static final OutboxPublishConvention DEFAULT = new OutboxPublishConvention();

    private final ObservationRegistry registry;
    private final OutboxPublishConvention convention;
    private final boolean overridable;

    /** With the default convention, unless the registry has a global one for {@link OutboxPublishContext}. */
    public OutboxObservations(ObservationRegistry registry) {
        this.registry = Objects.requireNonNull(registry, "registry");
        this.convention = DEFAULT;
        this.overridable = true;
    }

    /** With this convention, whatever the registry has. */
    public OutboxObservations(ObservationRegistry registry, OutboxPublishConvention convention) {
        this.registry = Objects.requireNonNull(registry, "registry");
        this.convention = Objects.requireNonNull(convention, "convention");
        this.overridable = false;
    }

    @Override
    @SuppressWarnings("try") // a scope is closed, and not looked at
    public CompletionStage<Receipt> around(Delivery<?> delivery, Call call) throws Exception {
        Observation observation = Observation.start(
                overridable ? null : convention, DEFAULT, () -> new OutboxPublishContext(delivery), registry);
        CompletionStage<Receipt> answer;
        try (Observation.Scope scope = observation.openScope()) {
            answer = call.proceed();
        } catch (Throwable e) {
            observation.error(e);
            observation.stop();
            throw e;
        }
        return answer.whenComplete((receipt, failure) -> {
            if (failure != null) {
                observation.error(unwrapped(failure));
            }
            observation.stop();
        });
    }

    private static Throwable unwrapped(Throwable failure) {
        Throwable cause = failure.getCause();
        return failure instanceof CompletionException && cause != null ? cause : failure;
    }
}
