package dev.outbox.opentelemetry;

import dev.outbox.MessageRejectedException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.internal.Quietly;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapPropagator;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Writes messages together with the context of the span that creates them. */
@SuppressWarnings("try") // a scope is closed, and not looked at
final class TracedPersist implements PersistFunc {
    static final Quietly QUIETLY = new Quietly(
            "dev.outbox.opentelemetry",
            "[OUTBOX-611] A trace failed. Its message is written and published nevertheless, and its outcome counts");

    private final PersistFunc persist;
    private final Tracer tracer;
    private final TextMapPropagator propagator;

    TracedPersist(PersistFunc persist, Tracer tracer, TextMapPropagator propagator) {
        this.persist = persist;
        this.tracer = tracer;
        this.propagator = propagator;
    }

    @Override
    public String persist(OutgoingMessage message) {
        List<Span> spans = new ArrayList<>(1);
        OutgoingMessage traced = traced(message, spans);
        return ending(spans, () -> {
            try (Scope scope =
                    spans.isEmpty() ? Scope.noop() : current(Context.current().with(spans.get(0)))) {
                return persist.persist(traced);
            }
        });
    }

    @Override
    public List<String> persistAll(List<OutgoingMessage> messages) {
        List<Span> spans = new ArrayList<>();
        return ending(spans, () -> {
            List<OutgoingMessage> traced = new ArrayList<>(messages.size());
            for (OutgoingMessage message : messages) {
                traced.add(traced(message, spans));
            }
            return persist.persistAll(List.copyOf(traced));
        });
    }

    /**
     * The message with the context of a new span, or the same message if it has a context or has no room for one.
     *
     * @param spans gets the span, which must be ended, also if it is in no message
     */
    private OutgoingMessage traced(OutgoingMessage message, List<Span> spans) {
        OutgoingMessage traced = QUIETLY.get(() -> {
            if (hasContext(message)) {
                return message;
            }
            Span span = create(message);
            spans.add(span);
            return withContext(message, span);
        });
        return traced == null ? message : traced;
    }

    /** A message that was created elsewhere keeps the context that it came with. */
    private boolean hasContext(OutgoingMessage message) {
        Context context = propagator.extract(Context.root(), message.headers(), Headers.GETTER);
        return Span.fromContext(context).getSpanContext().isValid();
    }

    private Span create(OutgoingMessage message) {
        return tracer.spanBuilder(Semantics.CREATE + " " + message.topic())
                .setSpanKind(SpanKind.PRODUCER)
                .setAttribute(Semantics.OPERATION_NAME, Semantics.CREATE)
                .setAttribute(Semantics.OPERATION_TYPE, Semantics.CREATE)
                .setAttribute(Semantics.MESSAGE_ID, message.id())
                .setAttribute(Semantics.TOPIC, message.topic())
                .setAttribute(Semantics.PARTITION, (long) message.partition())
                .startSpan();
    }

    /** A trace is not worth a message: if the headers become too large by it, the message goes without. */
    private OutgoingMessage withContext(OutgoingMessage message, Span span) {
        Map<String, String> headers = new LinkedHashMap<>(message.headers());
        propagator.inject(Context.current().with(span), headers, Headers::put);
        try {
            return new OutgoingMessage(
                    message.id(), message.topic(), message.partition(), message.key(), headers, message.payload());
        } catch (MessageRejectedException e) {
            return message;
        }
    }

    /** Whatever becomes of the spans, this returns what writing returns, and throws what it throws. */
    private static <R> R ending(List<Span> spans, Supplier<R> writing) {
        try {
            return writing.get();
        } catch (RuntimeException | Error e) {
            spans.forEach(span -> QUIETLY.run(() -> failed(span, e)));
            throw e;
        } finally {
            spans.forEach(span -> QUIETLY.run(span::end));
        }
    }

    /** Makes a context the current one. Neither this nor closing the scope throws anything. */
    static Scope current(Context context) {
        Scope scope = QUIETLY.get(context::makeCurrent);
        return () -> {
            if (scope != null) {
                QUIETLY.run(scope::close);
            }
        };
    }

    static void failed(Span span, Throwable failure) {
        span.recordException(failure);
        span.setStatus(StatusCode.ERROR);
        span.setAttribute(Semantics.ERROR, failure.getClass().getName());
    }
}
