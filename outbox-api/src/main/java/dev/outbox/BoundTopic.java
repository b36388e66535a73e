package dev.outbox;

import dev.outbox.internal.Audience;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A topic bound to a transaction. Used by one thread at a time, as that is. */
final class BoundTopic<T> implements TransactionalPublisher<T> {
    private final Topic<T> topic;
    private final PersistFunc persist;
    private final Audience<OutboxListener> listeners;

    BoundTopic(Topic<T> topic, PersistFunc persist, Audience<OutboxListener> listeners) {
        this.topic = topic;
        this.persist = persist;
        this.listeners = listeners;
    }

    @Override
    public String publish(T message) {
        OutgoingMessage outgoing = topic.outgoing(message);
        long start = System.nanoTime();
        String id = checked(persist.persist(outgoing), outgoing);
        tell(outgoing, id, start);
        return id;
    }

    @Override
    public List<String> publishAll(List<? extends T> messages) {
        if (messages == null) {
            throw new MessageRejectedException(
                    "null was published to topic " + topic.name() + "; expected a list of messages.");
        }
        List<OutgoingMessage> outgoing = new ArrayList<>(messages.size());
        for (T message : messages) {
            outgoing.add(topic.outgoing(message));
        }
        long start = System.nanoTime();
        List<String> ids = persist.persistAll(List.copyOf(outgoing));
        if (ids == null || ids.size() != outgoing.size()) {
            throw broken((ids == null ? "no ids" : ids.size() + " ids") + " for " + outgoing.size() + " messages");
        }
        for (int i = 0; i < outgoing.size(); i++) {
            tell(outgoing.get(i), checked(ids.get(i), outgoing.get(i)), start);
        }
        return List.copyOf(ids);
    }

    private void tell(OutgoingMessage message, String id, long start) {
        listeners.tell(l ->
                l.persisted(new OutboxListener.Persisted(message, id, Duration.ofNanos(System.nanoTime() - start))));
    }

    /** Ids are drawn here; a store that gives out its own would bring its consumers those of other messages again. */
    private String checked(@Nullable String id, OutgoingMessage message) {
        if (!message.id().equals(id)) {
            throw broken((id == null ? "no id" : "the id " + id) + " for the message " + message.id());
        }
        return message.id();
    }

    private StoreException broken(String what) {
        return new StoreException("The store returned " + what + " of topic " + topic.name()
                + ": its PersistFunc breaks rule OBX-ID-1. Roll the transaction back.");
    }
}
