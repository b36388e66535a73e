package dev.outbox.opentelemetry;

import dev.outbox.MessageRejectedException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
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
        if (hasContext(message)) {
            return persist.persist(message);
        }
        Span span = create(message);
        return ending(List.of(span), Context.current().with(span), () -> persist.persist(withContext(message, span)));
    }

    @Override
    public List<String> persistAll(List<OutgoingMessage> messages) {
        List<Span> spans = new ArrayList<>();
        List<OutgoingMessage> traced = new ArrayList<>(messages.size());
        for (OutgoingMessage message : messages) {
            if (hasContext(message)) {
                traced.add(message);
            } else {
                Span span = create(message);
                spans.add(span);
                traced.add(withContext(message, span));
            }
        }
        return ending(spans, Context.current(), () -> persist.persistAll(List.copyOf(traced)));
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
        propagator.inject(Context.current().with(span), headers, Map::put);
        try {
            return new OutgoingMessage(
                    message.id(), message.topic(), message.partition(), message.key(), headers, message.payload());
        } catch (MessageRejectedException e) {
            return message;
        }
    }

    private static <R> R ending(List<Span> spans, Context context, Supplier<R> writing) {
        try (Scope scope = context.makeCurrent()) {
            return writing.get();
        } catch (RuntimeException | Error e) {
            spans.forEach(span -> failed(span, e));
            throw e;
        } finally {
            spans.forEach(Span::end);
        }
    }

    static void failed(Span span, Throwable failure) {
        span.recordException(failure);
        span.setStatus(StatusCode.ERROR);
        span.setAttribute(Semantics.ERROR, failure.getClass().getName());
    }
}
