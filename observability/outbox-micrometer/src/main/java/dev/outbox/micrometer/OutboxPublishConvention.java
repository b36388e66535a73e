package dev.outbox.micrometer;

import dev.outbox.Delivery;
import io.micrometer.common.KeyValues;
import io.micrometer.observation.GlobalObservationConvention;
import io.micrometer.observation.Observation;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What an observation of publishing is called and which values it has. Extend it to change some of them. Registered at
 * the {@code ObservationRegistry} as a global convention, it takes the place of the default one.
 */
public class OutboxPublishConvention implements GlobalObservationConvention<OutboxPublishContext> {
    /** The name of the observation. It differs from that of the timer of {@link OutboxMetrics}, outbox.publish. */
    public static final String NAME = "outbox.send";

    private final @Nullable String system;

    /** The convention without a name of the messaging system. */
    public OutboxPublishConvention() {
        this(null);
    }

    /**
     * The convention with the value {@code messaging.system}.
     *
     * @param system as OpenTelemetry calls it, such as {@code kafka} or {@code rabbitmq}; null to say {@code unknown}
     */
    public OutboxPublishConvention(@Nullable String system) {
        this.system = system;
    }

    @Override
    public boolean supportsContext(Observation.Context context) {
        return context instanceof OutboxPublishContext;
    }

    @Override
    public String getName() {
        return NAME;
    }

    @Override
    public String getContextualName(OutboxPublishContext context) {
        return "send " + context.delivery().topic();
    }

    /** The values with few different ones, which meters have, too. */
    @Override
    public KeyValues getLowCardinalityKeyValues(OutboxPublishContext context) {
        return KeyValues.of(
                "messaging.operation.name",
                "send",
                "messaging.system",
                Objects.requireNonNullElse(system, "unknown"),
                "outbox.topic",
                context.delivery().topic());
    }

    /** The values that only spans have. */
    @Override
    public KeyValues getHighCardinalityKeyValues(OutboxPublishContext context) {
        Delivery<?> delivery = context.delivery();
        return KeyValues.of(
                "messaging.message.id",
                delivery.id(),
                "outbox.attempt",
                Integer.toString(delivery.attempt()),
                "outbox.partition",
                Integer.toString(delivery.partition()));
    }
}
