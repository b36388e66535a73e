package dev.outbox.opentelemetry;

import dev.outbox.Delivery;
import dev.outbox.PersistFunc;
import dev.outbox.Receipt;
import dev.outbox.internal.Causes;
import dev.outbox.internal.Quietly;
import dev.outbox.relay.PublishInterceptor;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapPropagator;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Traces a message from the transaction that writes it to the broker. Writing is a span {@code create TOPIC}, whose
 * context and baggage the message carries in its headers. A call of a publisher is a span {@code send DESTINATION} with
 * a link to that. Consumers see the context of the creation, the same at every attempt.
 *
 * <pre>{@code
 * OutboxTelemetry telemetry = OutboxTelemetry.builder(openTelemetry).system("kafka").build();
 * Outbox.bind(orders, telemetry.persist(JdbcOutbox.persist(connection))).publish(order);
 * Relay relay = Relay.builder(store).topic(orders).around(telemetry).build();
 * }</pre>
 *
 * <p>It uses the {@link OpenTelemetry} that it is given and no other. With OpenTelemetry's Java agent, give it
 * {@code GlobalOpenTelemetry.get()}. Safe for use by several threads.
 */
public final class OutboxTelemetry implements PublishInterceptor {
    private static final Quietly QUIETLY = TracedPersist.QUIETLY;

    /** A call of a publisher that has begun. */
    private record Sending(Delivery<?> delivery, String destination, Span span, Context context, long start) {}

    private final Tracer tracer;
    private final TextMapPropagator propagator;
    private final String system;
    private final Function<? super Delivery<?>, String> destination;
    private final TraceRelation relation;
    private final @Nullable SendMetrics metrics;

    private OutboxTelemetry(Builder builder) {
        this.tracer = builder.openTelemetry
                .getTracerProvider()
                .tracerBuilder(Semantics.SCOPE)
                .setSchemaUrl(Semantics.SCHEMA)
                .build();
        this.propagator = builder.openTelemetry.getPropagators().getTextMapPropagator();
        this.system = builder.system;
        this.destination = builder.destination;
        this.relation = builder.relation;
        this.metrics = builder.metrics ? new SendMetrics(builder.openTelemetry) : null;
    }

    /** Starts with an OpenTelemetry, whose propagators and providers are used. */
    public static Builder builder(OpenTelemetry openTelemetry) {
        return new Builder(openTelemetry);
    }

    /**
     * Writes messages with the context of their creation. A message whose headers have a trace already keeps them, and
     * gets no span. If the headers would become larger than an outbox takes, or OpenTelemetry throws, the message is
     * written without a context. Baggage that is in the headers already is kept.
     *
     * @param persist what writes them
     * @return as safe for use by several threads as {@code persist} is
     */
    public PersistFunc persist(PersistFunc persist) {
        return new TracedPersist(Objects.requireNonNull(persist, "persist"), tracer, propagator);
    }

    /**
     * Sends a message within a span, which is current while the publisher's code runs: a span of the broker's client is
     * its child. The baggage of the message is current, too. A span ends with the answer of the broker; without an
     * answer it never does. What OpenTelemetry throws is logged, and changes nothing for the message.
     */
    @Override
    @SuppressWarnings("try") // a scope is closed, and not looked at
    public CompletionStage<Receipt> around(Delivery<?> delivery, Call call) throws Exception {
        Sending sending = QUIETLY.get(() -> sending(delivery));
        if (sending == null) {
            return call.proceed();
        }
        CompletionStage<Receipt> answer;
        try (Scope scope = TracedPersist.current(sending.context())) {
            answer = call.proceed();
        } catch (Throwable e) {
            end(sending, null, e);
            throw e;
        }
        // An exception of this action would become the outcome of the message.
        return answer.whenComplete((receipt, failure) -> end(sending, receipt, failure));
    }

    private Sending sending(Delivery<?> delivery) {
        long start = System.nanoTime();
        String name = Objects.requireNonNull(destination.apply(delivery), "destination");
        Context stored = propagator.extract(Context.root(), delivery.headers(), Headers.GETTER);
        Span span = send(delivery, name, stored);
        Context context = Context.current().with(Baggage.fromContext(stored)).with(span);
        return new Sending(delivery, name, span, context, start);
    }

    private Span send(Delivery<?> delivery, String name, Context stored) {
        Duration age = Duration.between(delivery.createdAt(), Instant.now());
        SpanBuilder builder = tracer.spanBuilder(Semantics.SEND + " " + name)
                .setSpanKind(SpanKind.CLIENT) // the context that consumers see is another one
                .setAttribute(Semantics.SYSTEM, system)
                .setAttribute(Semantics.OPERATION_NAME, Semantics.SEND)
                .setAttribute(Semantics.OPERATION_TYPE, Semantics.SEND)
                .setAttribute(Semantics.DESTINATION, name)
                .setAttribute(Semantics.MESSAGE_ID, delivery.id())
                .setAttribute(Semantics.TOPIC, delivery.topic())
                .setAttribute(Semantics.PARTITION, (long) delivery.partition())
                .setAttribute(Semantics.ATTEMPT, (long) delivery.attempt())
                .setAttribute(Semantics.AGE, Math.max(0, age.toNanos() / 1e9)); // the clocks are those of two machines
        if (relation == TraceRelation.CHILD) {
            return builder.setParent(stored).startSpan();
        }
        SpanContext creation = Span.fromContext(stored).getSpanContext();
        if (creation.isValid()) {
            builder.addLink(creation);
        }
        return builder.setNoParent().startSpan();
    }

    private void end(Sending sending, @Nullable Receipt receipt, @Nullable Throwable failure) {
        Throwable cause = failure == null ? null : Causes.unwrapped(failure);
        String id = receipt == null ? null : receipt.id();
        Span span = sending.span();
        if (cause != null) {
            QUIETLY.run(() -> TracedPersist.failed(span, cause));
        } else if (id != null) {
            QUIETLY.run(() -> span.setAttribute(Semantics.PUBLISH_ID, id));
        }
        QUIETLY.run(span::end);
        SendMetrics counts = metrics;
        if (counts != null) {
            long nanos = System.nanoTime() - sending.start();
            QUIETLY.run(() -> counts.sent(sending.delivery(), system, sending.destination(), cause, nanos));
        }
    }

    /** Collects what traces need. Used by one thread. */
    public static final class Builder {
        private final OpenTelemetry openTelemetry;
        private String system = "outbox";
        private Function<? super Delivery<?>, String> destination = Delivery::topic;
        private TraceRelation relation = TraceRelation.LINK;
        private boolean metrics;

        private Builder(OpenTelemetry openTelemetry) {
            this.openTelemetry = Objects.requireNonNull(openTelemetry, "openTelemetry");
        }

        /** {@code messaging.system}, such as {@code kafka}, {@code rabbitmq} or {@code nats}; by default outbox. */
        public Builder system(String system) {
            this.system = Objects.requireNonNull(system, "system");
            return this;
        }

        /**
         * {@code messaging.destination.name}: where at the broker a message goes to. By default the topic of the
         * outbox. It must have few different values, because it is part of the name of spans. If it throws or
         * returns null, the message is sent without a span.
         */
        public Builder destination(Function<? super Delivery<?>, String> destination) {
            this.destination = Objects.requireNonNull(destination, "destination");
            return this;
        }

        /** How sending belongs to the creation; by default {@link TraceRelation#LINK}. */
        public Builder relation(TraceRelation relation) {
            this.relation = Objects.requireNonNull(relation, "relation");
            return this;
        }

        /**
         * Whether {@code messaging.client.sent.messages} and {@code messaging.client.operation.duration} are recorded,
         * too; by default not.
         */
        public Builder metrics(boolean metrics) {
            this.metrics = metrics;
            return this;
        }

        /** The traces. */
        public OutboxTelemetry build() {
            return new OutboxTelemetry(this);
        }
    }
}
