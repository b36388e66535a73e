package dev.outbox.micrometer;

import dev.outbox.Delivery;
import dev.outbox.Receipt;
import dev.outbox.internal.Causes;
import dev.outbox.internal.Quietly;
import dev.outbox.relay.PublishInterceptor;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Observes every call of a publisher by a relay: from the call to the answer of the broker. The observation is the
 * current one while the publisher's code runs, so that observations of the broker's client are its children.
 *
 * <pre>{@code
 * Relay.builder(store).topic(orders).around(new OutboxObservations(registry)).build();
 * }</pre>
 *
 * <p>What a convention or a handler of observations throws is logged, and changes nothing for the message. Safe for use
 * by several threads.
 */
public final class OutboxObservations implements PublishInterceptor {
    private static final Quietly QUIETLY = new Quietly(
            "dev.outbox.micrometer",
            "[OUTBOX-605] An observation failed. Its message is published nevertheless, and its outcome counts");

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
    public CompletionStage<Receipt> around(Delivery<?> delivery, Call call) throws Exception {
        Observation observation = QUIETLY.get(() -> Observation.start(
                overridable ? null : convention, DEFAULT, () -> new OutboxPublishContext(delivery), registry));
        if (observation == null) {
            return call.proceed();
        }
        CompletionStage<Receipt> answer;
        try {
            answer = inside(observation, call);
        } catch (Throwable e) {
            end(observation, e);
            throw e;
        }
        // An exception of this action would become the outcome of the message.
        return answer.whenComplete((receipt, failure) -> end(observation, failure));
    }

    private CompletionStage<Receipt> inside(Observation observation, Call call) throws Exception {
        Observation.Scope before = QUIETLY.get(registry::getCurrentObservationScope);
        Observation.Scope scope = QUIETLY.get(observation::openScope);
        try {
            return call.proceed();
        } finally {
            if (scope != null) {
                QUIETLY.run(scope::close);
            }
            // A handler that throws leaves the scope open.
            QUIETLY.run(() -> registry.setCurrentObservationScope(before));
        }
    }

    private static void end(Observation observation, @Nullable Throwable failure) {
        if (failure != null) {
            QUIETLY.run(() -> observation.error(Causes.unwrapped(failure)));
        }
        QUIETLY.run(observation::stop);
    }
}
