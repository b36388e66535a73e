package dev.outbox.spring.boot;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.Delivery;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A client of a broker, and what it has sent. */
final class Broker {
    /** What the broker does with messages. */
    enum Mood {
        TAKES,
        IS_AWAY,
        REFUSES
    }

    final List<String> sent = new CopyOnWriteArrayList<>();
    volatile Mood mood = Mood.TAKES;

    Receipt send(Delivery<?> delivery) {
        switch (mood) {
            case IS_AWAY -> throw new BrokerUnavailableException("the broker is away");
            case REFUSES -> throw new PermanentFailureException("the broker refuses it");
            default -> sent.add(new String(delivery.payload(), StandardCharsets.UTF_8));
        }
        return Receipt.of(delivery.id());
    }
}
